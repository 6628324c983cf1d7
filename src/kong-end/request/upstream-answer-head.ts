import { parseHeaderLine } from '../../http/http1/index.ts';

/** Where the body of an upstream's answer ends: `none`: there is no body; `close`: with the connection; a length in bytes. */
export type AnswerFraming = 'none' | 'chunked' | 'close' | number;

/** The head of an upstream's answer. Texts are latin1 strings, one character per byte. */
export interface AnswerHead {
  /** As the upstream sent it, such as 404; 0 for HTTP/0.9, which has no status. */
  readonly status: number;
  /** Number and words as they came, `404 Nope Nope`; null for HTTP/0.9, whose answer is all body. */
  readonly statusLine: string | null;
  /** In their order, without repeated lines that nginx drops. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly framing: AnswerFraming;
  /** The upstream lets the connection stay. */
  readonly keepAlive: boolean;
}

/** The upstream sent something that nginx answers with 502, without another try. */
export class InvalidAnswer extends Error {
  override readonly name = 'InvalidAnswer';
}

/**
 * Reads the head of an answer as nginx 1.25.3 does (ngx_http_proxy_module, ngx_http_upstream).
 *
 * @param toHead the request was HEAD: the answer has no body
 * @returns the head and where it ends, or null if bytes are missing
 * @throws InvalidAnswer
 */
export function parseAnswerHead(bytes: Buffer, toHead: boolean): { head: AnswerHead; next: number } | null {
  const line = parseStatusLine(bytes);
  if (line === 'more') return null;
  if (line === 'old') {
    const framing = toHead ? 'none' : 'close';
    return { head: { status: 0, statusLine: null, headers: [], framing, keepAlive: false }, next: 0 };
  }
  const fields = new HeaderFields();
  for (let at = line.next; ;) {
    if (isStatusLineAgain(bytes, at)) {
      at = bytes.indexOf(lf, at) + 1;
      if (at === 0) return null;
      continue;
    }
    const parsed = parseHeaderLine(bytes, at);
    if (parsed.kind === 'more') return null;
    if (parsed.kind === 'invalid') throw new InvalidAnswer('upstream sent invalid header');
    at = parsed.next;
    if (parsed.kind === 'line') {
      fields.take(parsed.name, parsed.value);
      continue;
    }
    const { status, statusLine } = line;
    const framing = toHead || status === 204 || status === 304 ? 'none' : fields.framing;
    const keepAlive = line.current && !fields.close && status !== 101;
    return { head: { status, statusLine, headers: fields.lines, framing, keepAlive }, next: at };
  }
}

/** Of these nginx keeps the first line and drops the others. */
const single = new Set([
  'status',
  'content-type',
  'date',
  'last-modified',
  'etag',
  'server',
  'location',
  'refresh',
  'expires',
]);

/** Takes header lines one by one and refuses lines that would leave the end of the body in doubt. */
class HeaderFields {
  readonly lines: [string, string][] = [];
  close = false;
  readonly #seen = new Set<string>();
  #length: number | null = null;
  #chunked = false;

  get framing(): AnswerFraming {
    return this.#chunked ? 'chunked' : (this.#length ?? 'close');
  }

  take(name: string, value: string): void {
    const key = name.toLowerCase();
    if (key === 'content-length') this.#length = this.#contentLength(value);
    else if (key === 'transfer-encoding') this.#takeEncoding(value);
    else if (key === 'connection' && value.toLowerCase().includes('close')) this.close = true;
    if (single.has(key) && this.#seen.has(key)) return;
    this.#seen.add(key);
    this.lines.push([name, value]);
  }

  #contentLength(value: string): number {
    if (this.#length !== null)
      throw new InvalidAnswer('upstream sent duplicate header line: "Content-Length"');
    if (this.#chunked) throw new InvalidAnswer(bothFramings);
    const length = Number(value);
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(length))
      throw new InvalidAnswer('upstream sent invalid "Content-Length" header');
    return length;
  }

  #takeEncoding(value: string): void {
    if (this.#chunked) throw new InvalidAnswer('upstream sent duplicate header line: "Transfer-Encoding"');
    if (this.#length !== null) throw new InvalidAnswer(bothFramings);
    if (value.toLowerCase() !== 'chunked')
      throw new InvalidAnswer('upstream sent unknown "Transfer-Encoding"');
    this.#chunked = true;
  }
}

const bothFramings = 'upstream sent "Content-Length" and "Transfer-Encoding" headers at the same time';

interface StatusLine {
  readonly status: number;
  readonly statusLine: string;
  /** HTTP/1.1 or later. */
  readonly current: boolean;
  readonly next: number;
}

const cr = 13;
const lf = 10;
const space = 32;
const dot = 46;

/** `old`: no status line, so the answer is one of HTTP/0.9. */
function parseStatusLine(bytes: Buffer): StatusLine | 'more' | 'old' {
  const prefix = 'HTTP/';
  for (let at = 0; at < prefix.length; at++) {
    if (at >= bytes.length) return 'more';
    if (bytes[at] !== prefix.charCodeAt(at)) return 'old';
  }
  const major = parseNumber(bytes, prefix.length, dot);
  if (typeof major === 'string') return major;
  if (bytes[prefix.length] === 48) return 'old';
  const minor = parseNumber(bytes, major.next, space);
  if (typeof minor === 'string') return minor;
  let at = minor.next;
  let status = 0;
  for (let digits = 0; digits < 3; at++) {
    const byte = bytes[at];
    if (byte === undefined) return 'more';
    if (byte === space) continue;
    if (!isDigit(byte)) return 'old';
    status = status * 10 + byte - 48;
    digits++;
  }
  const end = endOfStatusLine(bytes, at);
  if (typeof end === 'string') return end;
  const statusLine = bytes.toString('latin1', at - 3, end.at);
  const current = major.value > 1 || (major.value === 1 && minor.value > 0);
  return { status, statusLine, current, next: end.next };
}

/** Digits up to `end`, at least one, at most three. */
function parseNumber(
  bytes: Buffer,
  from: number,
  end: number,
): { value: number; next: number } | 'more' | 'old' {
  let value = 0;
  for (let at = from; ; at++) {
    const byte = bytes[at];
    if (byte === undefined) return 'more';
    if (byte === end && at > from) return { value, next: at + 1 };
    if (!isDigit(byte) || value > 99) return 'old';
    value = value * 10 + byte - 48;
  }
}

function endOfStatusLine(bytes: Buffer, from: number): { at: number; next: number } | 'more' | 'old' {
  const first = bytes[from];
  if (first === undefined) return 'more';
  if (first !== space && first !== dot && first !== cr && first !== lf) return 'old';
  let at = from;
  while (at < bytes.length && bytes[at] !== cr && bytes[at] !== lf) at++;
  if (at >= bytes.length) return 'more';
  if (bytes[at] === lf) return { at, next: at + 1 };
  if (at + 1 >= bytes.length) return 'more';
  return bytes[at + 1] === lf ? { at, next: at + 2 } : 'old';
}

/** IIS may send its status line twice; nginx passes over the second one. */
function isStatusLineAgain(bytes: Buffer, at: number): boolean {
  return bytes.toString('latin1', at, at + 5) === 'HTTP/';
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}
