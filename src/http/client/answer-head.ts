/** What the head of an answer says about the answer and its connection. */
export interface AnswerHead {
  readonly status: number;
  /** How many bytes follow, or how their end is found. */
  readonly body: number | 'chunked' | 'until-closed';
  /** Whether another answer may come on this connection. */
  readonly keepsAlive: boolean;
  /** The header Retry-After as it came, null without one. */
  readonly retryAfter: string | null;
  /** For how long the other side keeps an idle connection, in milliseconds, as far as it says (`Keep-Alive: timeout`). */
  readonly idleMs: number | null;
}

/** The bytes are not an answer of HTTP/1. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer';
}

const statusLine = /^HTTP\/1\.([01]) (\d{3})(?: |$)/;
const separators = /\s*,\s*/;
const asText = (lines: readonly string[] | undefined): string => (lines ?? []).join(', ').toLowerCase();

/**
 * Reads a head, its status line included. Lines may end with LF alone.
 *
 * @param text latin1
 * @throws BadAnswer
 */
export function readAnswerHead(text: string): AnswerHead {
  const [first = '', ...lines] = text.trimEnd().split(/\r?\n/);
  const parts = statusLine.exec(first);
  if (parts === null) throw new BadAnswer(`no status line of HTTP/1: ${first.slice(0, 40)}`);
  const status = Number(parts[2]);
  const headers = readHeaders(lines);
  const connection = asText(headers.get('connection')).split(separators);
  const body = bodyOf(status, headers);
  const stays = parts[1] === '1' ? !connection.includes('close') : connection.includes('keep-alive');
  // A peer that gives both lengths cannot be trusted with the next answer (RFC 9112, section 6.1).
  const isClear = !(headers.has('content-length') && headers.has('transfer-encoding'));
  return {
    status,
    body,
    keepsAlive: stays && isClear && body !== 'until-closed',
    retryAfter: headers.get('retry-after')?.[0] ?? null,
    idleMs: idleOf(asText(headers.get('keep-alive'))),
  };
}

function readHeaders(lines: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    // A line that continues the one before it holds nothing that is needed here.
    if (line.startsWith(' ') || line.startsWith('\t')) continue;
    if (colon <= 0) throw new BadAnswer(`a header without a name or a colon: ${line.slice(0, 40)}`);
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const others = headers.get(name);
    if (others === undefined) headers.set(name, [value]);
    else others.push(value);
  }
  return headers;
}

function bodyOf(status: number, headers: Map<string, string[]>): AnswerHead['body'] {
  if (status === 204 || status === 304) return 0;
  const codings = headers.get('transfer-encoding');
  if (codings !== undefined)
    return asText(codings).split(separators).at(-1) === 'chunked' ? 'chunked' : 'until-closed';
  const lengths = headers.get('content-length');
  if (lengths === undefined) return 'until-closed';
  const [length = '', ...others] = asText(lengths).split(separators);
  if (!/^\d{1,15}$/.test(length) || others.some((other) => other !== length))
    throw new BadAnswer(`no content-length: ${lengths.join(', ').slice(0, 40)}`);
  return Number(length);
}

function idleOf(keepAlive: string): number | null {
  const seconds = /(?:^|[,;\s])timeout=(\d{1,9})/.exec(keepAlive)?.[1];
  return seconds === undefined ? null : Number(seconds) * 1000;
}
