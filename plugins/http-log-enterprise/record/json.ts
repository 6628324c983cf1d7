import type { RawText } from './text.ts';
import { decodeRaw, encodeRaw } from './text.ts';

/** Where the JSON value that starts at `at` ends. The text is JSON that Kong wrote: it is skipped, not checked. */
export function valueEnd(text: RawText, at: number): number {
  const first = text.charCodeAt(at);
  if (first === 0x22) return stringEnd(text, at);
  let i = at;
  let depth = 0;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) i = stringEnd(text, i) - 1;
    else if (code === 0x7b || code === 0x5b) depth += 1;
    else if (code === 0x7d || code === 0x5d) {
      if (depth === 0) return i;
      depth -= 1;
      if (depth === 0) return i + 1;
    } else if (code === 0x2c && depth === 0) return i;
  }
  return i;
}

function stringEnd(text: RawText, at: number): number {
  let quote = text.indexOf('"', at + 1);
  while (quote >= 0) {
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === 0x5c) slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
    quote = text.indexOf('"', quote + 1);
  }
  return text.length;
}

/** The value of a piece of raw JSON. */
export const parseRaw = (raw: RawText): unknown => JSON.parse(decodeRaw(raw)) as unknown;

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** A JSON string as Kong's encoder writes it: DEL and control characters escaped, slashes and foreign bytes not. */
export const quote = (text: string): RawText => encodeRaw(quoteRaw(text));

/** The same of raw text. */
export function quoteRaw(text: RawText): RawText {
  let out = '"';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x20 && code !== 0x22 && code !== 0x5c && code !== 0x7f) continue;
    const character = text.charAt(i);
    out += text.slice(from, i) + (shortEscapes[character] ?? `\\u${code.toString(16).padStart(4, '0')}`);
    from = i + 1;
  }
  return `${out}${text.slice(from)}"`;
}
