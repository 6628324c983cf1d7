/** Headers that belong to one connection and not to the message (RFC 9110, section 7.6.1). Framing is among them. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers that `Connection` may not name: without them, the next reader gets another message. */
const neverNamed: ReadonlySet<string> = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'host',
  'kong-admin-token',
  'origin',
  'set-cookie',
  'transfer-encoding',
]);

/**
 * Headers by which proxies and browsers identify a client. If `Connection` could remove them, anybody could pose as
 * somebody else.
 */
const namesCaller = /^(?:forwarded|via|x-real-ip)$|^(?:kong|sec|x-forwarded|x-kong)-/;

/** A message that cannot be handed on. `status` is the answer for its sender. */
export class UnforwardableError extends Error {
  readonly status: 400 | 501;

  constructor(status: 400 | 501, message: string) {
    super(message);
    this.status = status;
  }
}

/** The length of a message's body, as its parser says. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'length'; readonly bytes: string };

/**
 * The flat list of names and values without what belongs to the connection: hop-by-hop headers, those that `Connection`
 * names, and the framing, which `framingOf` tells and whoever sends the message sets anew.
 * @param raw names and values in turn, as Node's `rawHeaders`
 * @throws UnforwardableError where `Connection` names a header that the next reader needs
 */
export function endToEnd(raw: readonly string[]): string[] {
  const named = new Set<string>();
  for (const [name, value] of pairs(raw)) {
    if (name.toLowerCase() !== 'connection') continue;
    for (const option of value.split(',')) named.add(option.trim().toLowerCase());
  }
  for (const option of named) {
    if (neverNamed.has(option) || namesCaller.test(option))
      throw new UnforwardableError(
        400,
        `The header Connection names "${option}", which is not a part of a connection.`,
      );
  }
  return pairs(raw).flatMap(([name, value]) => {
    const lower = name.toLowerCase();
    return hopByHop.has(lower) || named.has(lower) ? [] : [name, value];
  });
}

/**
 * The framing of a message as its parser has read it.
 * @throws UnforwardableError for one that readers understand in different ways: both ways at once, a length given twice,
 *   codings other than `chunked`
 */
export function framingOf(raw: readonly string[]): Framing {
  const values = (wanted: string): string[] =>
    pairs(raw).flatMap(([name, value]) => (name.toLowerCase() === wanted ? [value.trim()] : []));
  const codings = values('transfer-encoding');
  const lengths = values('content-length');
  if (codings.length > 0) {
    if (lengths.length > 0) {
      throw new UnforwardableError(400, 'The message has both Transfer-Encoding and Content-Length.');
    }
    if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') {
      throw new UnforwardableError(501, 'Of transfer codings only "chunked" is understood.');
    }
    return { kind: 'chunked' };
  }
  const [bytes] = lengths;
  if (bytes === undefined) return { kind: 'none' };
  if (lengths.length > 1 || !/^\d{1,15}$/.test(bytes)) {
    throw new UnforwardableError(400, 'Content-Length has to be one number.');
  }
  return { kind: 'length', bytes };
}

/**
 * The framing of an answer as it is handed on. To a HEAD and in a 304 the length is information; an answer without
 * content (1xx, 204) has none (RFC 9110, section 8.6).
 */
export function answerFraming(method: string, status: number, framing: Framing): Framing {
  if (status === 204 || status < 200) return { kind: 'none' };
  const bodiless = method === 'HEAD' || status === 304;
  return bodiless && framing.kind === 'chunked' ? { kind: 'none' } : framing;
}

/** The headers that say a framing. */
export function framingHeaders(framing: Framing): string[] {
  if (framing.kind === 'chunked') return ['Transfer-Encoding', 'chunked'];
  return framing.kind === 'length' ? ['Content-Length', framing.bytes] : [];
}

/** A reason phrase as HTTP/1.1 can carry it: what a peer sent may hold bytes that Node refuses to write. */
export function reasonPhrase(given: string | undefined): string | undefined {
  return given === undefined || /[^\t\x20-\x7e\x80-\xff]/.test(given) ? undefined : given;
}

function pairs(raw: readonly string[]): [name: string, value: string][] {
  const all: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) all.push([raw[at] ?? '', raw[at + 1] ?? '']);
  return all;
}
