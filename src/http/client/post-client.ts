import { buildConnector } from 'undici';
import { ClosingLimit } from './closing-limit.ts';
import { passingOverInformational } from './informational.ts';
import { PostConnection } from './post-connection.ts';
import { postHead } from './post-request.ts';
import type { Exchange, PostHead, PostResult } from './post-request.ts';

/** How certificates are looked at, and which one is shown. */
export interface TlsOptions {
  /** Whether the other side's certificate must be valid for its name. */
  readonly verify: boolean;
  /** PEM authorities to trust instead of the well-known ones, null: those. */
  readonly ca: string | null;
  /** PEM certificate and key that are presented, null: none. */
  readonly certificate: string | null;
  readonly key: string | null;
}

export interface PostClientOptions {
  /** Connections at most. */
  readonly connections: number;
  /**
   * How many requests may wait for their answers on one connection, once it has shown that it stays open. Default 1: each
   * waits for the answer to the one before it.
   */
  readonly pipelining?: number;
  /** Milliseconds for connecting, for the answer's head, and for its body. */
  readonly timeoutMs: number;
  /** Milliseconds that an idle connection is kept; 0 or less: one request for each connection. */
  readonly keepaliveMs: number;
  readonly tls: TlsOptions;
  /** Runs something at the end of the turn of the event loop, when what is sent leaves. Default: `setImmediate`. */
  readonly atTurnEnd?: (run: () => void) => void;
  /** Milliseconds of a clock that never goes back. Default: the system's. */
  readonly now?: () => number;
}

/** How long a request may wait behind others while connections are idle, in milliseconds. */
const tolerableWaitMs = 4;
/** How much of the last answer's time goes into the usual one. */
const weight = 0.2;

/**
 * Sends requests with bodies to one target, for those who send thousands a second: what leaves in one turn of the event
 * loop is one write for each connection, and no request waits for the answer to another one where the target keeps its
 * connections open. Such a request goes out once, and a second time where a connection is closed before its answer; then
 * it has failed. Everything is tried on few connections while the target is fast, and spread over all of them
 * while it is slow.
 */
export class PostClient {
  readonly #options: PostClientOptions;
  readonly #now: () => number;
  readonly #connections: readonly PostConnection[];
  readonly #waiting: Exchange[] = [];
  /** Milliseconds from a request's place as the first in line to its answer. */
  #usualMs = Infinity;
  #lastAnswerAt = -Infinity;
  #pumping = false;
  #destroyed: Error | null = null;

  /** @param origin scheme, host and port, such as `https://logs.example.com:8443` */
  constructor(origin: string, options: PostClientOptions) {
    this.#options = options;
    const { tls, pipelining = 1, atTurnEnd = setImmediate, timeoutMs, keepaliveMs } = options;
    const now = options.now ?? (() => performance.now());
    this.#now = now;
    const shared = { origin, connector: connectorOf(tls, timeoutMs), closing: new ClosingLimit(now), now };
    this.#connections = Array.from(
      { length: options.connections },
      () =>
        new PostConnection({
          ...shared,
          pipelining,
          timeoutMs,
          keepaliveMs,
          atTurnEnd,
          free: () => this.#pump(),
          again: (exchanges) => this.#again(exchanges),
          answeredIn: (ms) => this.#learn(ms),
        }),
    );
  }

  /**
   * Checks what all requests of one kind have in common.
   *
   * @param target path and query
   * @param headers name, value, name, value...: without Host, Connection and Content-Length; latin1
   * @throws TypeError for what would end a line or the head, and for headers that belong to the connection
   */
  prepare(method: string, target: string, headers: readonly string[]): PostHead {
    return postHead(method, target, headers);
  }

  /**
   * Sends a request. The body must stay as it is until `done` is called, and where that tells of an error, from then on as well.
   *
   * @param done is called once, and may send the next one. It must not throw
   */
  send(head: PostHead, body: Buffer, done: (result: PostResult) => void): void {
    const exchange: Exchange = { head, body, done, again: false, since: this.#now() };
    if (this.#destroyed !== null) done({ status: null, error: this.#destroyed });
    else if (this.#waiting.length > 0 || !this.#place(exchange)) this.#waiting.push(exchange);
  }

  /** Ends all connections; what is under way fails with this error. */
  destroy(error: Error): void {
    this.#destroyed = error;
    for (const connection of this.#connections) connection.destroy(error);
    for (const { done } of this.#waiting.splice(0)) done({ status: null, error });
  }

  #again(exchanges: readonly Exchange[]): void {
    for (const exchange of exchanges) exchange.since = this.#now();
    this.#waiting.unshift(...exchanges);
  }

  #learn(ms: number): void {
    this.#lastAnswerAt = this.#now();
    this.#usualMs = this.#usualMs === Infinity ? ms : this.#usualMs + weight * (ms - this.#usualMs);
  }

  #pump(): void {
    if (this.#pumping || this.#destroyed !== null) return;
    this.#pumping = true;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#isLate(next)) {
        this.#waiting.shift();
        next.done({
          status: null,
          error: new Error(`no answer within ${String(this.#options.timeoutMs)} ms`),
        });
        continue;
      }
      if (!this.#place(next)) break;
      this.#waiting.shift();
    }
    this.#pumping = false;
  }

  /**
   * Whether the target has answered nothing for as long as this one waits: it does not wait once more behind others. Each
   * connection that is busy has a limit of its own, so that this is asked at least that often.
   */
  #isLate({ since }: Exchange): boolean {
    return this.#now() - Math.max(since, this.#lastAnswerAt) >= this.#options.timeoutMs;
  }

  /** Few connections while their targets are fast, then idle ones, then the least busy. */
  #place(exchange: Exchange): boolean {
    const { pipelining = 1 } = this.#options;
    const depth = Math.max(1, Math.min(pipelining, Math.floor(tolerableWaitMs / this.#usualMs)));
    let best: PostConnection | null = null;
    for (const connection of this.#connections) {
      if (!connection.hasRoom(exchange)) continue;
      if (connection.load < depth) {
        best = connection;
        break;
      }
      if (best === null || connection.load < best.load) best = connection;
    }
    best?.send(exchange);
    return best !== null;
  }
}

function connectorOf(
  { verify, ca, certificate, key }: TlsOptions,
  timeoutMs: number,
): buildConnector.connector {
  const connector = buildConnector({
    timeout: timeoutMs,
    // Kong's http-log speaks HTTP/1.1 only.
    allowH2: false,
    rejectUnauthorized: verify,
    ...(ca === null ? {} : { ca }),
    ...(certificate === null || key === null ? {} : { cert: certificate, key }),
  });
  return passingOverInformational(connector, true);
}
