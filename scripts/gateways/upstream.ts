import net from 'node:net';
import type { AddressInfo } from 'node:net';

/** What an upstream does with a request: bytes (latin1), answered one after the other; the last stands for all that follow. */
export type Behaviour =
  | 'echo'
  /** Closes without a byte. */
  | 'close'
  /** Says nothing. */
  | 'silent'
  | {
      readonly raw: string;
      readonly then?: 'keep' | 'close' | 'reset';
      /** Waits before it answers, in milliseconds. */
      readonly afterMs?: number;
    };

export interface UpstreamRequest {
  /** The request line, without the version. */
  readonly line: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** An upstream on a raw socket: it answers bytes that are HTTP or not. */
export class Upstream {
  behaviour: Behaviour = 'echo';
  readonly requests: UpstreamRequest[] = [];
  readonly #sockets = new Set<net.Socket>();
  readonly #server: net.Server;

  constructor() {
    this.#server = net.createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
  }

  async listen(host: string): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, host, resolve);
    });
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Answers in another way from now on, and forgets what came. */
  run(behaviour: Behaviour): void {
    this.behaviour = behaviour;
    this.requests.length = 0;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: net.Socket): void {
    let received = '';
    this.#sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    socket.setEncoding('latin1').on('data', (piece: string) => {
      received += piece;
      for (let request = wholeRequest(received); request !== null; request = wholeRequest(received)) {
        received = received.slice(request.length);
        this.#answer(socket, request.text);
      }
    });
    socket.on('end', () => socket.end());
  }

  #answer(socket: net.Socket, text: string): void {
    const request = parsed(text);
    // What tells that a configuration has arrived is not a request of anybody.
    if (request.line.includes('kong-ts-ready')) {
      socket.write('HTTP/1.1 204 No Content\r\n\r\n');
      return;
    }
    this.requests.push(request);
    const { behaviour } = this;
    if (behaviour === 'echo') socket.write(echo(request), 'latin1');
    else if (behaviour === 'close') socket.end();
    else if (behaviour !== 'silent') setTimeout(() => this.#write(socket, behaviour), behaviour.afterMs ?? 0);
  }

  #write(socket: net.Socket, { raw, then }: Exclude<Behaviour, string>): void {
    if (socket.destroyed) return;
    socket.write(raw, 'latin1', () => {
      if (then === 'reset') socket.resetAndDestroy();
    });
    if (then === 'close') socket.end();
  }
}

/** The first request in a text, null while a part of it is missing. */
function wholeRequest(received: string): { text: string; length: number } | null {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = received.slice(0, end);
  const chunked = /^transfer-encoding:.*chunked/im.test(head);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  const last = chunked ? received.indexOf('0\r\n\r\n', end) : end;
  const whole = chunked ? last + 5 : end + 4 + length;
  if ((chunked && last < 0) || received.length < whole) return null;
  return { text: received.slice(0, whole), length: whole };
}

function parsed(text: string): UpstreamRequest {
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = lines.map((each) => {
    const colon = each.indexOf(':');
    return [each.slice(0, colon).toLowerCase(), each.slice(colon + 1).trim()] as const;
  });
  return { line: line.replace(/ HTTP\/1\.[01]$/, ''), headers, body: text.slice(end + 4) };
}

/** The answer that the transcripts were recorded with: what the upstream got, as JSON. */
function echo({ line, headers, body }: UpstreamRequest): string {
  const [m, u] = line.split(' ');
  const h: Record<string, string> = {};
  for (const [name, value] of headers) h[name] = name in h ? `${h[name] ?? ''}, ${value}` : value;
  const b = body.length > 5000 ? body.length : Buffer.from(body, 'latin1').toString();
  const text = Buffer.from(JSON.stringify({ m, u, h, b })).toString('latin1');
  return [
    'HTTP/1.1 200 OK',
    'Content-Type: application/json',
    `Content-Length: ${String(text.length)}`,
    'x-upstream: yes',
    `Date: ${new Date().toUTCString()}`,
    'Connection: keep-alive',
    '',
    text,
  ].join('\r\n');
}
