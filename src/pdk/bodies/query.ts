import { Buffer } from 'node:buffer';
import { decodeText, encodeText } from '../../base/text.ts';
import type { Query } from '../types/values.ts';

/**
 * Query strings and urlencoded forms as Kong's nginx reads and writes them (ngx.decode_args and ngx.encode_args of
 * OpenResty): `+` is a space, a `%` without two hexadecimal digits stands for itself, an argument without `=` is true,
 * one without a name is left out, and only the first 100 are looked at unless more are asked for.
 */
export const defaultMaxArgs = 100;

/**
 * Calls `visit` with each argument in its order until it returns true or `max` arguments were seen; those without a name
 * are seen, too, so that a body of nothing but `&` costs no more than its first ones. Every character is looked at a
 * fixed number of times: no search goes past the end of its argument.
 */
function eachArgument(
  raw: string,
  max: number,
  visit: (name: string, value: string | true) => boolean | void,
): void {
  let seen = 0;
  for (let start = 0; start <= raw.length && seen < max;) {
    const ampersand = raw.indexOf('&', start);
    const end = ampersand === -1 ? raw.length : ampersand;
    const argument = raw.slice(start, end);
    const equals = argument.indexOf('=');
    const name = decodeComponent(equals === -1 ? argument : argument.slice(0, equals));
    seen++;
    if (name !== '') {
      const value = equals === -1 ? true : decodeComponent(argument.slice(equals + 1));
      if (visit(name, value) === true) return;
    }
    start = end + 1;
  }
}

/** All arguments; several of one name are an array in their order. */
export function parseQuery(raw: string, max: number = defaultMaxArgs): Query {
  const found = new Map<string, string | true | (string | true)[]>();
  eachArgument(raw, max, (name, value) => {
    const earlier = found.get(name);
    if (earlier === undefined) found.set(name, value);
    else if (Array.isArray(earlier)) earlier.push(value);
    else found.set(name, [earlier, value]);
  });
  return Object.fromEntries(found);
}

/** The first value of one argument: true without a value, null without the argument. */
export function firstQueryValue(
  raw: string,
  wanted: string,
  max: number = defaultMaxArgs,
): string | true | null {
  let first: string | true | null = null;
  eachArgument(raw, max, (name, value) => {
    if (name !== wanted) return false;
    first = value;
    return true;
  });
  return first;
}

/** Removes all values of one argument and writes the rest anew, as Kong's clear_query_arg does (`flag` becomes `flag=`). */
export function removeQueryArg(raw: string, wanted: string): string {
  const kept: string[] = [];
  for (const part of raw.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decodeComponent(equals === -1 ? part : part.slice(0, equals));
    const value = equals === -1 ? '' : decodeComponent(part.slice(equals + 1));
    if (name !== wanted) kept.push(`${escapeExcept(name, formSafe)}=${escapeExcept(value, formSafe)}`);
  }
  return kept.join('&');
}

/** A value of a form. */
export type FormValue = string | number | boolean | readonly (string | number | boolean)[];

/** A form as text, its arguments in the order of their encoded text, as Kong's set_body writes it. */
export function encodeForm(fields: Readonly<Record<string, FormValue>>): string {
  return Object.entries(fields)
    .map(([name, value]) => encodeField(name, value))
    .filter((text) => text !== '')
    .sort()
    .join('&');
}

function encodeField(name: string, value: FormValue): string {
  const values = Array.isArray(value) ? (value as readonly (string | number | boolean)[]) : [value];
  const key = escapeExcept(name, componentSafe);
  return values
    .filter((item) => item !== false)
    .map((item) =>
      item === true ? key : `${key}=${escapeExcept(String(item as string | number), componentSafe)}`,
    )
    .join('&');
}

/**
 * The characters that ngx.escape_uri leaves alone, and those that the urlencoded serializer of clear_query_arg leaves
 * alone.
 */
const componentSafe = /^[A-Za-z0-9\-._~]*$/;
const formSafe = /^[A-Za-z0-9*\-._]*$/;

function escapeExcept(text: string, safe: RegExp): string {
  if (safe.test(text)) return text;
  let out = '';
  for (const byte of encodeText(text)) {
    const char = String.fromCharCode(byte);
    out += byte < 0x80 && safe.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** Decodes `+` and `%XX`, byte by byte where the bytes are not UTF-8. */
export function decodeComponent(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return decodeBytes(encodeText(spaced));
  }
}

function decodeBytes(bytes: Buffer): string {
  const out = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    const high = byte === 0x25 ? hexDigit(bytes[at + 1]) : -1;
    const low = high === -1 ? -1 : hexDigit(bytes[at + 2]);
    if (low === -1) out[length++] = byte;
    else {
      out[length++] = high * 16 + low;
      at += 2;
    }
  }
  return decodeText(out, 0, length);
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
