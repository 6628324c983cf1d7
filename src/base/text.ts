import { Buffer, isUtf8 } from 'node:buffer';

/**
 * Text on Kong's sockets is raw bytes: Lua strings have no encoding, and a header may hold anything. Decoding maps
 * every byte that is not part of valid UTF-8 to a lone surrogate (byte `b` becomes `U+DC00 + b`), encoding maps it
 * back: what was read and is sent again has the same bytes.
 */

const replacement = '\uFFFD';
const escapeBase = 0xdc00;
/** Below this length a loop over the bytes is faster than a call into the runtime. */
const short = 24;

/** Decodes `buffer[start, end)`. Never throws, whatever the bytes are. */
export function decodeText(buffer: Buffer, start = 0, end = buffer.length): string {
  if (end - start <= short) {
    let text = '';
    for (let at = start; at < end; at++) {
      const byte = buffer[at] as number;
      if (byte > 0x7f) return decodeAny(buffer, start, end);
      text += String.fromCharCode(byte);
    }
    return text;
  }
  return decodeAny(buffer, start, end);
}

function decodeAny(buffer: Buffer, start: number, end: number): string {
  const text = buffer.toString('utf8', start, end);
  if (!text.includes(replacement)) return text;
  const bytes = buffer.subarray(start, end);
  return isUtf8(bytes) ? text : decodeEscaped(bytes);
}

/** Splits into runs of valid UTF-8 and single bytes that are not. */
function decodeEscaped(bytes: Buffer): string {
  const parts: string[] = [];
  let runStart = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    if (at > runStart) parts.push(bytes.toString('utf8', runStart, at));
    parts.push(String.fromCharCode(escapeBase + (bytes[at] as number)));
    at++;
    runStart = at;
  }
  if (at > runStart) parts.push(bytes.toString('utf8', runStart, at));
  return parts.join('');
}

/** Length of the valid UTF-8 sequence at `at`, 0 where there is none (RFC 3629, section 4). */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const second = bytes[at + 1] ?? 0;
  if (first < 0xe0) return isContinuation(second) ? 2 : 0;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  if (!isContinuation(bytes[at + 2] ?? 0)) return 0;
  if (first < 0xf0) return 3;
  return isContinuation(bytes[at + 3] ?? 0) ? 4 : 0;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** Encodes text; escaped bytes become themselves, any other lone surrogate U+FFFD. */
export function encodeText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const bytes = Buffer.allocUnsafe(textByteLength(text));
  writeEscaped(text, bytes, 0);
  return bytes;
}

/** How many bytes `writeText` will write. */
export function textByteLength(text: string): number {
  if (text.isWellFormed()) return Buffer.byteLength(text, 'utf8');
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) length += 1;
    else if (unit < 0x800) length += 2;
    else if (isPair(text, at, unit)) {
      length += 4;
      at++;
    } else length += isEscape(unit) ? 1 : 3;
  }
  return length;
}

/** Writes text at `offset` and returns the number of bytes written. The buffer must have room for all of it. */
export function writeText(text: string, buffer: Buffer, offset: number): number {
  if (text.length <= short) {
    let at = 0;
    for (; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit > 0x7f) break;
      buffer[offset + at] = unit;
    }
    if (at === text.length) return at;
  }
  return text.isWellFormed() ? buffer.write(text, offset, 'utf8') : writeEscaped(text, buffer, offset);
}

function writeEscaped(text: string, buffer: Buffer, offset: number): number {
  let to = offset;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) buffer[to++] = unit;
    else if (isEscape(unit)) buffer[to++] = unit - escapeBase;
    else if (isPair(text, at, unit)) {
      to += buffer.write(text.slice(at, at + 2), to, 'utf8');
      at++;
    } else if (unit >= 0xd800 && unit <= 0xdfff) to += buffer.write(replacement, to, 'utf8');
    else to += buffer.write(String.fromCharCode(unit), to, 'utf8');
  }
  return to - offset;
}

function isEscape(unit: number): boolean {
  return unit >= escapeBase + 0x80 && unit <= escapeBase + 0xff;
}

function isPair(text: string, at: number, unit: number): boolean {
  if (unit < 0xd800 || unit > 0xdbff) return false;
  const next = text.charCodeAt(at + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}
