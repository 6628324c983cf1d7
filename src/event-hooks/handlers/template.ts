import { KongTsError } from '../../base/errors.ts';
import { valueAt } from '../model/payload.ts';

/** How inserted values are escaped. */
export type Escape = 'html' | 'json' | 'form' | 'none';

interface Insertion {
  path: string[];
  raw: boolean;
}
/** A template that was parsed: text, and values to insert. */
export type Template = readonly (string | Insertion)[];

const maxInsertions = 1000;
/** How much one request may hold in all: its URL, headers, fields and body together. */
export const maxRequestLength = 1024 * 1024;

/** What is left of one request's size, in characters. */
export class Budget {
  #left: number;
  constructor(length = maxRequestLength) {
    this.#left = length;
  }
  /** @throws KongTsError TEMPLATE_INVALID if less is left */
  take(length: number): void {
    this.#left -= length;
    if (this.#left < 0)
      throw new KongTsError(
        'TEMPLATE_INVALID',
        `The request (URL, headers, fields and body) is larger than ${String(maxRequestLength)} characters.`,
      );
  }
}

const pathPattern = /^[A-Za-z_][\w-]*(?:\.[\w-]+|\[\d+\]|\["[^"\]]*"\]|\['[^'\]]*'\])*$/;

/**
 * Parses `{{ path }}` (escaped) and `{* path *}` (raw). A path is names and numbers: `entity.tags[1]`,
 * `headers["x-a"]`; as in Lua, the first item of a list has the number 1. There is no code in templates, so nothing
 * can run long.
 * @throws KongTsError TEMPLATE_INVALID saying where
 */
export function parseTemplate(source: string): Template {
  const parts: (string | Insertion)[] = [];
  let at = 0;
  for (;;) {
    const open = nextOpening(source, at);
    if (open === -1) break;
    const raw = source[open + 1] === '*';
    const close = source.indexOf(raw ? '*}' : '}}', open + 2);
    if (close === -1) throw invalid(source, open, `"${raw ? '{*' : '{{'}" is never closed`);
    const expression = source.slice(open + 2, close).trim();
    if (!pathPattern.test(expression))
      throw invalid(source, open, `"${expression.slice(0, 40)}" is not a path such as entity.username`);
    if (open > at) parts.push(source.slice(at, open));
    parts.push({ path: steps(expression), raw });
    if (parts.length > maxInsertions)
      throw invalid(source, open, `more than ${String(maxInsertions / 2)} values`);
    at = close + 2;
  }
  if (at < source.length) parts.push(source.slice(at));
  return parts;
}

/**
 * Fills a template in. A missing value is empty; a list or record is inserted as JSON.
 * @param budget of the request that the output belongs to
 * @throws KongTsError TEMPLATE_INVALID when the request becomes larger than 1 Mi characters
 */
export function render(template: Template, data: unknown, escape: Escape, budget = new Budget()): string {
  let out = '';
  for (const part of template) {
    const text = typeof part === 'string' ? part : inserted(part, data, escape);
    budget.take(text.length);
    out += text;
  }
  return out;
}

function inserted({ path, raw }: Insertion, data: unknown, escape: Escape): string {
  const text = toText(lookUp(data, path));
  return raw ? text : escapeText(text, escape);
}

function lookUp(data: unknown, path: readonly string[]): unknown {
  let value = data;
  for (const step of path) {
    const index = Array.isArray(value) && /^\d+$/.test(step) ? String(Number(step) - 1) : step;
    value = valueAt(value, [index]);
  }
  return value;
}

function toText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

const htmlEscapes: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '/': '&#47;',
};

function escapeText(text: string, escape: Escape): string {
  if (escape === 'html') return text.replace(/[&<>"'/]/g, (character) => htmlEscapes[character] ?? character);
  if (escape === 'form') return encodeForm(text);
  return escape === 'json' ? JSON.stringify(text).slice(1, -1) : text;
}

/** One name or value of `application/x-www-form-urlencoded` (WHATWG URL, 5.2). */
function encodeForm(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

/** Goes brace by brace. A search for either mark would run to the end of the source for each of the values. */
function nextOpening(source: string, from: number): number {
  for (let at = source.indexOf('{', from); at !== -1; at = source.indexOf('{', at + 1)) {
    if (source[at + 1] === '{' || source[at + 1] === '*') return at;
  }
  return -1;
}

function steps(expression: string): string[] {
  return [...expression.matchAll(/([A-Za-z_][\w-]*|(?<=\.)[\w-]+)|\[(\d+)\]|\[["']([^"'\]]*)["']\]/g)].map(
    ([, name, index, key]) => name ?? index ?? key ?? '',
  );
}

/** lua-resty-template runs what is in `{% %}`: here it would be sent as text. @throws KongTsError TEMPLATE_INVALID */
export function refuseCode(source: string): void {
  const code = source.indexOf('{%');
  if (code !== -1) throw invalid(source, code, '"{%" is code, which templates here do not run');
}

function invalid(source: string, at: number, why: string): KongTsError {
  const line = source.slice(0, at).split('\n').length;
  return new KongTsError('TEMPLATE_INVALID', `invalid template, line ${String(line)}: ${why}`);
}
