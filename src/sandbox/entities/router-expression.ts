import { isObject, regexError } from '../../kong-schema/index.ts';

const failed = 'Router Expression failed validation: ';

/**
 * Kong makes an expression of a route's fields, and refuses the route where its router cannot compile that: a header
 * without values, a regular expression that Rust's `regex` does not know, although PCRE may. The text behind the colon
 * is ours: Kong shows where in its expression the error is.
 *
 * @param get the route's fields
 */
export function routerExpressionError(get: (name: string) => unknown): string | undefined {
  for (const path of texts(get('paths'))) {
    const error = path.startsWith('~') ? rustRegexError(path.slice(1)) : undefined;
    if (error !== undefined) return `${failed}regex parse error in paths: '${path.slice(1)}': ${error}`;
  }
  const headers = get('headers');
  for (const [name, values] of isObject(headers) ? Object.entries(headers) : []) {
    if (Array.isArray(values) && values.length === 0)
      return `${failed}headers.${name} has no values, expected an expression`;
    for (const value of texts(values)) {
      const error = value.startsWith('~*') ? rustRegexError(value.slice(2).toLowerCase()) : undefined;
      if (error !== undefined)
        return `${failed}regex parse error in headers.${name}: '${value.slice(2)}': ${error}`;
    }
  }
  return undefined;
}

const texts = (list: unknown): string[] =>
  Array.isArray(list) ? (list as unknown[]).filter((each) => typeof each === 'string') : [];

const lookAround = 'look-around, including look-ahead and look-behind, is not supported';

/** What Rust's `regex` says of an expression that it does not take. */
function rustRegexError(source: string): string | undefined {
  let inClass = false;
  for (const [part] of source.matchAll(/\\.?|\(\?<?[=!]|\(\?>|[[\]]|[^\\[\]]/gsu)) {
    if (part === '[') inClass = true;
    else if (part === ']') inClass = false;
    else if (/^\\[0-9]$/.test(part)) return 'backreferences are not supported';
    else if (/^\\[egkGhHKRXyYZ]$/.test(part)) return 'unrecognized escape sequence';
    else if (inClass) continue;
    else if (/^\(\?<?[=!]$/.test(part)) return lookAround;
    else if (part === '(?>' || part === '(?P=') return 'unrecognized flag';
  }
  return regexError(source) ?? undefined;
}
