import { KongTsError } from '../../errors.ts';
import { valueAt } from '../dispatcher/payload.ts';

/** How inserted values are escaped. */
export type Escape = 'html' | 'json' | 'none';

interface Insertion {
  path: string[];
  raw: boolean;
}
/** A template that was parsed: text, and values to insert. */
export type Template = readonly (string | Insertion)[];

const maxInsertions = 1000;
const maxOutput = 1024 * 1024;
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
 * @throws KongTsError TEMPLATE_INVALID when the output is larger than 1 MiB
 */
export function render(template: Template, data: unknown, escape: Escape): string {
  let out = '';
  for (const part of template) {
    if (typeof part === 'string') out += part;
    else {
      const text = toText(lookUp(data, part.path));
      out += part.raw ? text : escapeText(text, escape);
    }
    if (out.length > maxOutput)
      throw new KongTsError(
        'TEMPLATE_INVALID',
        `The rendered template is larger than ${String(maxOutput)} bytes.`,
      );
  }
  return out;
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
  return escape === 'json' ? JSON.stringify(text).slice(1, -1) : text;
}

function nextOpening(source: string, from: number): number {
  const escaped = source.indexOf('{{', from);
  const raw = source.indexOf('{*', from);
  if (escaped === -1 || raw === -1) return Math.max(escaped, raw);
  return Math.min(escaped, raw);
}

function steps(expression: string): string[] {
  return [...expression.matchAll(/([A-Za-z_][\w-]*|(?<=\.)[\w-]+)|\[(\d+)\]|\[["']([^"'\]]*)["']\]/g)].map(
    ([, name, index, key]) => name ?? index ?? key ?? '',
  );
}

function invalid(source: string, at: number, why: string): KongTsError {
  const line = source.slice(0, at).split('\n').length;
  return new KongTsError('TEMPLATE_INVALID', `invalid template, line ${String(line)}: ${why}`);
}
