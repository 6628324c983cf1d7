import { decodeText, encodeText } from '../../base/text.ts';

const ascii = /^[ -~\t]*$/;

/**
 * node:http gives header values and URLs as latin1 strings, one character per byte. Inside the sandbox a string is
 * text: UTF-8 decoded, bytes that are not UTF-8 as lone surrogates, so that it travels unchanged over both protocols.
 */
export function textOfLatin1(latin1: string): string {
  return ascii.test(latin1) ? latin1 : decodeText(Buffer.from(latin1, 'latin1'));
}

/** The opposite of `textOfLatin1`: what node:http writes byte by byte. */
export function latin1OfText(text: string): string {
  return ascii.test(text) ? text : encodeText(text).toString('latin1');
}

/**
 * Header lines as node:http takes them, without names that are not tokens, and without control characters in values.
 */
export function rawHeaderLines(
  lines: Iterable<readonly [name: string, value: string, ...unknown[]]>,
): string[] {
  const raw: string[] = [];
  for (const [name, value] of lines) {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) continue;
    raw.push(name, ascii.test(value) ? value : withoutControls(latin1OfText(value)));
  }
  return raw;
}

function withoutControls(latin1: string): string {
  let clean = '';
  for (const char of latin1) {
    const code = char.charCodeAt(0);
    if (code === 9 || (code >= 32 && code !== 127)) clean += char;
  }
  return clean;
}

/** A request target that node:http accepts: spaces and control characters percent-encoded, the rest byte by byte. */
export function requestTarget(text: string): string {
  let target = '';
  for (const char of latin1OfText(text)) {
    const code = char.charCodeAt(0);
    target += code <= 32 || code === 127 ? `%${code.toString(16).toUpperCase().padStart(2, '0')}` : char;
  }
  return target;
}
