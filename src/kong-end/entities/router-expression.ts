import { isObject } from '../schema/index.ts';
import { rustRegexError } from './rust-regex.ts';

const failed = 'Router Expression failed validation: ';

/**
 * The expression that Kong's router compiles for a path that starts with `~`: anchored, and with Rust's names of
 * groups.
 */
export const pathExpression = (path: string): string => `^${path.slice(1).replaceAll('?<', '?P<')}`;

/**
 * The same for a header's value that starts with `~*`. Kong lowers its ASCII letters, and those of the request's
 * header, too.
 */
export const headerExpression = (value: string): string => lowered(value.slice(2));

/** Lua's `lower`: letters of ASCII alone. */
export const lowered = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/**
 * Kong makes an expression of a route's fields, and refuses the route if its router cannot compile that: a header
 * without values, or a regular expression that Rust's `regex` does not know, although PCRE may. The text behind the
 * colon is ours. Kong shows the place of the error in its own expression.
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
