import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import type { Peer } from './balancer.ts';

export interface AttemptOptions {
  readonly peer: Peer;
  readonly secure: boolean;
  readonly serverName: string;
  readonly verify: boolean;
  readonly method: string;
  /** Path and query as they go on the wire. */
  readonly target: string;
  /** Names and values alternating. */
  readonly headers: string[];
  readonly body: Readable | Buffer;
  readonly connectTimeout: number;
  readonly readTimeout: number;
  readonly agents: Agents;
  readonly signal: AbortSignal;
}

export interface Agents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

/** Why an attempt gave no answer. `sent`: bytes of the request may have reached the upstream. */
export class AttemptFailure extends Error {
  override readonly name = 'AttemptFailure';
  readonly status: 502 | 504;
  readonly sent: boolean;
  /** The keep-alive connection was closed by the upstream before it saw the request. */
  readonly stale: boolean;

  constructor(message: string, status: 502 | 504, sent: boolean, stale = false) {
    super(message);
    this.status = status;
    this.sent = sent;
    this.stale = stale;
  }
}

/** Sends the request to one peer; resolves when the answer's headers are there. @throws AttemptFailure */
export function attempt(options: AttemptOptions): Promise<http.IncomingMessage> {
  const { peer, secure, body, headers } = options;
  const streaming = !Buffer.isBuffer(body);
  // With the headers given at once, Node announces a body for every method that it does not know to have none.
  const bodiless = !streaming && body.length === 0 && !headers.includes('Content-Length');
  return new Promise((resolve, reject) => {
    const settings: https.RequestOptions = {
      host: peer.ip,
      port: peer.port,
      method: options.method,
      path: options.target,
      ...(bodiless ? {} : { headers }),
      setHost: false,
      signal: options.signal,
      // A body that cannot be sent twice never goes over a connection that may be closing.
      agent: streaming ? false : secure ? options.agents.https : options.agents.http,
      ...(secure ? { servername: options.serverName, rejectUnauthorized: options.verify } : {}),
    };
    const request = secure ? https.request(settings) : http.request(settings);
    if (bodiless) {
      request.useChunkedEncodingByDefault = false;
      for (let i = 0; i < headers.length; i += 2)
        request.appendHeader(headers[i] ?? '', headers[i + 1] ?? '');
    }
    let connected = false;
    let timedOut = false;
    const connectTimer = setTimeout(() => {
      timedOut = true;
      request.destroy(new Error('connect timeout'));
    }, options.connectTimeout);
    const start = (): void => {
      clearTimeout(connectTimer);
      if (connected) return;
      connected = true;
      request.setTimeout(options.readTimeout, () => {
        timedOut = true;
        request.destroy(new Error('read timeout'));
      });
      if (streaming) {
        body.once('error', (error: Error) => request.destroy(error));
        body.pipe(request);
      } else request.end(body);
    };
    request.once('socket', (socket) => {
      if (!socket.connecting && request.reusedSocket) start();
      else socket.once(secure ? 'secureConnect' : 'connect', start);
    });
    request.once('response', resolve);
    request.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(connectTimer);
      const stale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      reject(new AttemptFailure(error.message, timedOut ? 504 : 502, connected, stale));
    });
  });
}
