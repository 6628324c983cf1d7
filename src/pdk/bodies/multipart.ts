import { Buffer } from 'node:buffer';
import { KongTsError } from '../../base/errors.ts';
import { decodeText, encodeText } from '../../base/text.ts';

/** The fields of a multipart form; several of one name are an array in their order. */
export type MultipartFields = Record<string, string | string[]>;

/** The boundary that a Content-Type names, null without one. */
export function boundaryOf(contentType: string): string | null {
  const match = /;\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType);
  return match?.[1] ?? match?.[2] ?? null;
}

function malformed(what: string): KongTsError {
  return new KongTsError('PDK_BODY_MALFORMED', `The body is not multipart/form-data: ${what}.`);
}

/**
 * Parses multipart/form-data (RFC 7578). Every part counts by its name, files too; a part without a name does not.
 * @throws KongTsError PDK_BODY_MALFORMED without a boundary, an opening or a closing delimiter
 */
export function parseMultipart(body: Buffer, contentType: string): MultipartFields {
  const boundary = boundaryOf(contentType);
  if (boundary === null) throw malformed('its content type names no boundary');
  const delimiter = encodeText(`--${boundary}`);
  const fields = new Map<string, string | string[]>();
  let at = nextDelimiter(body, delimiter, 0);
  if (at === -1) throw malformed('it does not hold the boundary');
  for (;;) {
    at += delimiter.length;
    if (body[at] === 0x2d && body[at + 1] === 0x2d) return Object.fromEntries(fields);
    const start = lineEnd(body, at);
    const next = start === -1 ? -1 : nextDelimiter(body, delimiter, start);
    if (next === -1) throw malformed('it ends in the middle of a part');
    addPart(fields, body.subarray(start, next - lineBreakBefore(body, next)));
    at = next;
  }
}

/**
 * The next delimiter, searched from the beginning of a line onwards, because it stands at the beginning of one. Lines
 * are compared one by one. A plain search would take the product of both lengths, and a client may have chosen both.
 */
function nextDelimiter(body: Buffer, delimiter: Buffer, from: number): number {
  for (let line = from; ;) {
    if (startsAt(body, line, delimiter) && endsDelimiter(body, line + delimiter.length)) return line;
    const feed = body.indexOf(0x0a, line);
    if (feed === -1) return -1;
    line = feed + 1;
  }
}

function startsAt(body: Buffer, start: number, wanted: Buffer): boolean {
  for (let at = 0; at < wanted.length; at++) if (body[start + at] !== wanted[at]) return false;
  return true;
}

/** The text that may follow a boundary: white space and a line break, or the two dashes of the last one. */
function endsDelimiter(body: Buffer, at: number): boolean {
  const [next, second] = [body[at], body[at + 1]];
  return (
    next === 0x0d || next === 0x0a || next === 0x20 || next === 0x09 || (next === 0x2d && second === 0x2d)
  );
}

function lineBreakBefore(body: Buffer, at: number): number {
  return body[at - 2] === 0x0d ? 2 : 1;
}

/** The position after the line break that follows a delimiter (which white space may precede). */
function lineEnd(body: Buffer, at: number): number {
  const feed = body.indexOf(0x0a, at);
  return feed === -1 ? -1 : feed + 1;
}

/** The headers of one part are at most so long, in bytes. */
const maxPartHeaders = 16 * 1024;

function addPart(fields: Map<string, string | string[]>, part: Buffer): void {
  const [headerEnd, valueStart] = endOfHeaders(part);
  if (headerEnd > maxPartHeaders) {
    throw malformed(`the headers of a part have more than ${maxPartHeaders} bytes`);
  }
  const name = partName(decodeText(part, 0, headerEnd));
  if (name === null) return;
  const value = decodeText(part, Math.min(valueStart, part.length), part.length);
  const earlier = fields.get(name);
  if (earlier === undefined) fields.set(name, value);
  else if (Array.isArray(earlier)) earlier.push(value);
  else fields.set(name, [earlier, value]);
}

function endOfHeaders(part: Buffer): [number, number] {
  const strict = part.indexOf('\r\n\r\n');
  const loose = part.indexOf('\n\n');
  if (strict !== -1 && (loose === -1 || strict < loose)) return [strict, strict + 4];
  return loose === -1 ? [part.length, part.length] : [loose, loose + 2];
}

function partName(headers: string): string | null {
  const disposition = /^content-disposition:(.*)$/im.exec(headers)?.[1] ?? '';
  const match = /;\s*name=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i.exec(disposition);
  if (match === null) return null;
  return match[1] === undefined ? (match[2] ?? null) : match[1].replace(/\\(["\\])/g, '$1');
}

/** A body and the content type that names its boundary. */
export interface EncodedMultipart {
  readonly body: Buffer;
  readonly contentType: string;
}

/**
 * Writes fields as multipart/form-data, by name in alphabetical order as Kong's set_body does. The boundary is the one
 * that `contentType` names unless a value contains it.
 * @param randomDigits makes a boundary when one is needed
 */
export function encodeMultipart(
  fields: Readonly<Record<string, string | number | boolean>>,
  contentType: string,
  randomDigits: () => string,
): EncodedMultipart {
  const parts = Object.entries(fields)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [encodeText(quoted(name)), encodeText(String(value))] as const);
  let boundary = boundaryOf(contentType) ?? randomDigits();
  while (parts.some(([, value]) => value.includes(`--${boundary}`))) boundary = randomDigits();
  const chunks: Buffer[] = [];
  for (const [name, value] of parts) {
    chunks.push(Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="`), name);
    chunks.push(Buffer.from('"\r\n\r\n'), value, Buffer.from('\r\n'));
  }
  chunks.push(Buffer.from(`--${boundary}--\r\n`));
  return { body: Buffer.concat(chunks), contentType: `multipart/form-data; boundary=${boundary}` };
}

function quoted(name: string): string {
  return name.replace(/["\\]/g, '\\$&');
}
