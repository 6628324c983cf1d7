import net from 'node:net';
import tls from 'node:tls';
import type { Address } from './gateway.ts';

/** An answer as it came. Bytes are latin1. */
export interface RawAnswer {
  /** Null where no head came. */
  readonly status: number | null;
  readonly reason: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Without chunk sizes. */
  readonly body: string;
  readonly raw: string;
  /** Whether Kong has ended the connection before the client did. */
  readonly closed: boolean;
  /** From the request's last byte to the answer's end, in milliseconds. */
  readonly ms: number;
}

export interface ExchangeOptions {
  readonly tls?: boolean;
  /** Ends the client's half of the connection behind the request. */
  readonly halfClose?: boolean;
  /** Goes without a word after so many milliseconds; what came until then is the answer. */
  readonly abortAfterMs?: number;
  /** Leaves after so many milliseconds; what came until then is the answer. Default 10000. */
  readonly patienceMs?: number;
}

/** Sends bytes (latin1) and reads one answer. */
export function exchange(
  address: Address,
  request: string,
  options: ExchangeOptions = {},
): Promise<RawAnswer> {
  const { patienceMs = 10_000 } = options;
  const head = /^(\S+)/.exec(request)?.[1] === 'HEAD';
  return new Promise((resolve) => {
    const begun = performance.now();
    const socket = options.tls
      ? tls.connect({ ...address, rejectUnauthorized: false, servername: 'api.example.test' })
      : net.connect(address);
    let raw = '';
    const finish = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ ...parseAnswer(raw), raw, closed, ms: performance.now() - begun });
    };
    const timer = setTimeout(() => finish(false), options.abortAfterMs ?? patienceMs);
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => {
      raw += piece;
      if (isWhole(raw, head)) finish(false);
    });
    socket.on('error', () => undefined);
    socket.once('close', () => finish(true));
    socket.write(request, 'latin1', () => {
      if (options.halfClose) socket.end();
    });
  });
}

function isWhole(raw: string, head: boolean): boolean {
  const end = raw.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const { status, headers } = parseAnswer(raw);
  const value = (name: string): string | undefined =>
    headers.find(([each]) => each.toLowerCase() === name)?.[1];
  if (head || status === 204 || status === 304) return true;
  const chunked = value('transfer-encoding')?.toLowerCase().includes('chunked') ?? false;
  if (chunked) return raw.endsWith('\r\n0\r\n\r\n');
  const length = value('content-length');
  return length !== undefined && raw.length >= end + 4 + Number(length);
}

/** Takes an answer apart. */
export function parseAnswer(raw: string): Pick<RawAnswer, 'status' | 'reason' | 'headers' | 'body'> {
  const end = raw.indexOf('\r\n\r\n');
  const [first = '', ...lines] = (end < 0 ? raw : raw.slice(0, end)).split('\r\n');
  const line = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(first);
  if (line === null || end < 0) return { status: null, reason: '', headers: [], body: raw };
  const headers = lines.map((each) => {
    const colon = each.indexOf(':');
    return [each.slice(0, colon), each.slice(colon + 1).trim()] as const;
  });
  const chunked = headers.some(
    ([name, value]) => /^transfer-encoding$/i.test(name) && /chunked/i.test(value),
  );
  const body = raw.slice(end + 4);
  return { status: Number(line[1]), reason: line[2] ?? '', headers, body: chunked ? joined(body) : body };
}

function joined(body: string): string {
  let text = '';
  for (let at = 0; at < body.length;) {
    const end = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.slice(at, end), 16);
    if (end < 0 || Number.isNaN(size) || size === 0) break;
    text += body.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
  return text;
}

/** Lower-case names; a list where a header came several times. */
export function headerTable(headers: RawAnswer['headers']): Record<string, string | string[]> {
  const table: Record<string, string | string[]> = {};
  for (const [name, value] of headers) {
    const before = table[name.toLowerCase()];
    table[name.toLowerCase()] = before === undefined ? value : [before, value].flat();
  }
  return table;
}
