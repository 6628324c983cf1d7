import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { foreignCaller, type Callers } from '../../http/callers.ts';
import { endToEnd, framingHeaders, framingOf, UnforwardableError } from '../../http/headers.ts';

/** How long such a connection may be silent, in milliseconds. */
const silenceMs = 60_000;

/** What Node says of a request that it cannot read: the bytes that it had, as one packet. */
export interface ParseFailure extends Error {
  readonly code?: string;
  /** A Buffer, whatever Node's types say of it. */
  readonly rawPacket?: unknown;
}

/**
 * Hands a request that Node's parser refuses to Kong: one with a method that Node does not know, or with bytes beyond
 * ASCII in its target. Kong says what it thinks of it. Its headers are treated as those of every other request, its
 * connection to Kong is its own and carries nothing after it.
 * @param callers who may call; null: whoever can connect
 * @returns false where the request has to be refused here: what came before it has been read already, its head is not
 *   whole, or readers could understand it in two ways
 */
export function handOn(
  target: URL,
  failure: ParseFailure,
  client: Socket,
  callers: Callers | null = null,
): boolean {
  const { rawPacket, code = '' } = failure;
  const odd = ['HPE_INVALID_METHOD', 'HPE_INVALID_URL'].includes(code);
  if (!odd || !Buffer.isBuffer(rawPacket) || client.bytesRead !== rawPacket.length) return false;
  const message = rewritten(rawPacket, target, callers);
  if (message === null) return false;
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const tls = target.protocol === 'https:';
  const port = Number(target.port === '' ? (tls ? 443 : 80) : target.port);
  const kong = tls ? connectTls({ host, port, servername: host }) : connect({ host, port });
  const end = (): void => {
    kong.destroy();
    client.destroy();
  };
  client.on('error', end);
  client.on('close', end);
  client.setTimeout(silenceMs, end);
  kong.on('error', end);
  kong.setTimeout(silenceMs, end);
  kong.write(message);
  // A body that goes on; what follows it is not read by Kong, which has been told to close.
  client.pipe(kong);
  kong.pipe(client);
  return true;
}

/** Without spaces and tabs at both ends: nothing else belongs to the syntax (RFC 9110, section 5.5). */
function withoutBlanks(value: string): string {
  const blank = (at: number): boolean => value[at] === ' ' || value[at] === '\t';
  let from = 0;
  let to = value.length;
  while (from < to && blank(from)) from++;
  while (to > from && blank(to - 1)) to--;
  return value.slice(from, to);
}

/** The message as it is sent to Kong; null where it cannot be. */
function rewritten(packet: Buffer, target: URL, callers: Callers | null): Buffer | null {
  const text = packet.toString('latin1');
  const end = /\r?\n\r?\n/.exec(text);
  if (end === null) return null;
  const [requestLine = '', ...lines] = text.slice(0, end.index).split(/\r?\n/);
  const [method = '', path = '', version = ''] = requestLine.split(' ');
  if (!/^[A-Za-z_-]{1,64}$/.test(method) || !path.startsWith('/') || !/^HTTP\/1\.[01]$/.test(version))
    return null;
  const raw: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    if (!/^[!#$%&'*+\-.^_`|~\w]+$/.test(name)) return null;
    raw.push(name, withoutBlanks(line.slice(colon + 1)));
  }
  try {
    const named = Object.fromEntries(
      lines.map((_, at) => [(raw[2 * at] ?? '').toLowerCase(), raw[2 * at + 1]]),
    );
    if (callers !== null && foreignCaller(method, named, callers) !== null) return null;
    const headers = [...endToEnd(raw), ...framingHeaders(framingOf(raw)), 'Connection', 'close'];
    if (named.host === undefined) headers.push('Host', target.host);
    const prefix = target.pathname.replace(/\/+$/, '');
    let head = `${method} ${prefix}${path} HTTP/1.1\r\n`;
    for (let at = 0; at < headers.length; at += 2)
      head += `${headers[at] ?? ''}: ${headers[at + 1] ?? ''}\r\n`;
    const body = packet.subarray(end.index + end[0].length);
    return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body]);
  } catch (error) {
    if (error instanceof UnforwardableError) return null;
    throw error;
  }
}
