import { isObject } from '../schema/index.ts';
import { rustRegexError } from './rust-regex.ts';

const failed = 'Router Expression failed validation: ';

/** What Kong's router compiles of a path that starts with `~`: anchored, and with Rust's way of naming groups. */
export const pathExpression = (path: string): string => `^${path.slice(1).replaceAll('?<', '?P<')}`;

/** The same of a header's value that starts with `~*`: Kong lowers the letters of ASCII, and the header's, too. */
export const headerExpression = (value: string): string => lowered(value.slice(2));

/** Lua's `lower`: letters of ASCII alone. */
export const lowered = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/**
 * Kong makes an expression of a route's fields, and refuses the route where its router cannot compile that: a header
 * without values, a regular expression that Rust's `regex` does not know, although PCRE may. The text behind the colon
 * is ours: Kong shows where in its expression the error is.
 *
 * @param get the route's fields
 */
export function routerExpressionError(get: (name: string) => unknown): string | undefined {
  for (const path of texts(get('paths'))) {
    const error = path.startsWith('~') ? rustRegexError(pathExpression(path)) : undefined;
    if (error !== undefined) return `${failed}regex parse error in paths: '${path.slice(1)}': ${error}`;
  }
  const headers = get('headers');
  for (const [name, values] of isObject(headers) ? Object.entries(headers) : []) {
    if (Array.isArray(values) && values.length === 0)
      return `${failed}headers.${name} has no values, expected an expression`;
    for (const value of texts(values)) {
      const error = value.startsWith('~*') ? rustRegexError(headerExpression(value)) : undefined;
      if (error !== undefined)
        return `${failed}regex parse error in headers.${name}: '${value.slice(2)}': ${error}`;
    }
  }
  return undefined;
}

const texts = (list: unknown): string[] =>
  Array.isArray(list) ? (list as unknown[]).filter((each) => typeof each === 'string') : [];
