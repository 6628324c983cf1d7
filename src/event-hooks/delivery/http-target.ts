import { Client } from 'undici';
import type { Dispatcher } from 'undici';
import { containThrows } from '../../http/client/index.ts';
import { ClosingTargets } from './closing-targets.ts';
import { addressOf, answerOf, beginOn, collect, flatten, newExchange } from './exchange.ts';
import type { Connection, Exchange, HttpAnswer, HttpRequest } from './exchange.ts';
import { describe, isClosed, isInvalid } from './http-errors.ts';
import { Suspects } from './suspects.ts';

export type { HttpAnswer, HttpRequest } from './exchange.ts';
import { pinnedConnector } from './pinned-connector.ts';
import type { ConnectorOptions } from './pinned-connector.ts';

export interface HttpTargetOptions extends ConnectorOptions {
  /** What answers for an origin within this process; null: a connection is made. */
  ownTarget?: (origin: string) => Pick<HttpTarget, 'send' | 'close'> | null;
  /** A longer response fails the attempt. */
  maxResponseBytes: number;
  /** How much of a response is kept. */
  keepResponseBytes: number;
  /** Requests on their way at a time; they share one connection, so that they arrive in the order of their start. */
  pipelining: number;
  /** Knowledge about targets that close connections, shared by all hooks. Default: this target has its own. */
  closing?: ClosingTargets;
}

/**
 * If a connection was idle for longer than this, it closed because of that, and not because of the number of its
 * answers.
 */
const idleMs = 1000;

/**
 * One hook's connection to its target. The first request on a connection goes alone. Once the target has answered it
 * and keeps the connection, requests are pipelined: they arrive in order, and throughput does not depend on the
 * target's latency. A target that closes connections gets no more on one than it answers. A request that a closing
 * connection left unanswered goes out again at once, only once and on a connection of its own. Both sendings count,
 * because the first one may have arrived. The time limit counts from when a request is first in line. If a request
 * fails, those behind it on its connection fail, too: they may have arrived, so each of them has had its attempt.
 */
export class HttpTarget {
  readonly #origin: string;
  readonly #options: HttpTargetOptions;
  readonly #closing: ClosingTargets;
  #client: Client;
  readonly #waiting: Exchange[] = [];
  readonly #sent = new Set<Exchange>();
  #connection: Connection | null = null;
  #gathering = false;
  #headSince = 0;
  #timer: NodeJS.Timeout | null = null;
  #idle: (() => void)[] = [];
  readonly #suspects = new Suspects();

  constructor(origin: string, options: HttpTargetOptions) {
    this.#origin = origin;
    this.#options = options;
    this.#closing = options.closing ?? new ClosingTargets();
    this.#client = this.#makeClient();
  }

  /** Never rejects. Redirects are answers like any other; nothing is decompressed. */
  send(request: HttpRequest): Promise<HttpAnswer> {
    return new Promise((resolve) => {
      this.#waiting.push(newExchange(request, resolve));
      this.#pump();
    });
  }

  async close(): Promise<void> {
    if (this.#sent.size + this.#waiting.length > 0)
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.#client.close().catch(() => undefined);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
  async destroy(): Promise<void> {
    await this.#client.destroy().catch(() => undefined);
  }

  #makeClient(): Client {
    const client = new Client(this.#origin, {
      pipelining: 1,
      connect: pinnedConnector(this.#options, (socket) => {
        this.#connection = { socket, address: addressOf(socket), answered: 0, lastAnswerAt: 0 };
        containThrows(socket, (error) => {
          this.#replaceClient(client, error);
        });
      }),
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 10_000,
    });
    // Requests that undici sends again by itself on the next connection go one by one there, too.
    client.on('disconnect', () => (client.pipelining = 1));
    return client;
  }

  /** How many requests may be on the connection now. */
  #window(): number {
    const connection = this.#connection;
    if (connection === null || connection.socket.destroyed || connection.answered === 0) return 1;
    const left = this.#closing.allowance(this.#origin) - connection.answered;
    return Math.max(1, Math.min(this.#options.pipelining, left));
  }

  #pump(): void {
    const window = this.#window();
    if (this.#client.pipelining !== window) this.#client.pipelining = window;
    while (this.#sent.size < window) {
      const next = this.#waiting[0];
      if (next === undefined) break;
      const head = this.#sent.values().next().value;
      if (head !== undefined && (this.#goesAlone(head) || this.#goesAlone(next))) break;
      this.#waiting.shift();
      this.#dispatch(next);
    }
    if (this.#sent.size + this.#waiting.length === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #goesAlone(exchange: Exchange): boolean {
    return exchange.again || this.#suspects.has(exchange.request.id);
  }

  #dispatch(exchange: Exchange): void {
    exchange.on = null;
    exchange.controller = null;
    exchange.sending += 1;
    this.#sent.add(exchange);
    if (this.#sent.size === 1) this.#headSince = performance.now();
    this.#timer ??= setTimeout(this.#checkHead, this.#options.timeoutMs).unref();
    // A request that goes again has a connection of its own, so a failure there is its own.
    const reset = exchange.again || this.#isLastOfConnection();
    const { id: _id, ...request } = exchange.request;
    try {
      this.#gather();
      this.#client.dispatch(
        {
          ...request,
          method: request.method,
          // Marked so for undici to pipeline it; a repetition carries the same id.
          idempotent: true,
          blocking: false,
          ...(reset ? { reset } : {}),
        },
        this.#handler(exchange, exchange.sending, reset),
      );
    } catch (error) {
      this.#failed(exchange, error);
    }
  }

  /** Whether the latest request is the last one that the target answers on this connection. */
  #isLastOfConnection(): boolean {
    const connection = this.#connection;
    const answered = connection === null || connection.socket.destroyed ? 0 : connection.answered;
    return answered + this.#sent.size >= this.#closing.allowance(this.#origin);
  }

  /** Requests of one turn of the event loop go to the system in one piece. */
  #gather(): void {
    const socket = this.#connection?.socket;
    if (socket === undefined || this.#gathering || socket.destroyed) return;
    this.#gathering = true;
    socket.cork();
    setImmediate(() => {
      this.#gathering = false;
      socket.uncork();
    });
  }

  #handler(exchange: Exchange, sending: number, reset: boolean): Dispatcher.DispatchHandler {
    const isVoid = (): boolean => exchange.sending !== sending || !this.#sent.has(exchange);
    return {
      onRequestStart: (controller) => {
        if (isVoid()) return;
        beginOn(exchange, this.#connection, controller);
        // Sent just now and first in line: connecting does not count against the target's time.
        if (this.#sent.values().next().value === exchange) this.#headSince = performance.now();
      },
      onResponseStart: (_controller, status, headers) => {
        // An informational answer does not count. The answer after it does.
        if (isVoid() || status < 200) return;
        exchange.status = status;
        exchange.headers = flatten(headers);
      },
      onResponseData: (controller, chunk) => {
        if (isVoid()) return;
        collect(exchange, chunk, this.#options.keepResponseBytes);
        if (exchange.bytes > this.#options.maxResponseBytes) {
          controller.abort(
            new Error(`the response is larger than ${String(this.#options.maxResponseBytes)} bytes`),
          );
        }
      },
      onResponseEnd: () => {
        if (!isVoid()) this.#answered(exchange, reset);
      },
      onResponseError: (_controller, error) => {
        if (!isVoid()) this.#failed(exchange, error);
      },
    };
  }

  #answered(exchange: Exchange, reset: boolean): void {
    const connection = exchange.on;
    this.#suspects.clear(exchange.request.id);
    this.#finish(exchange, null);
    if (connection === null) return;
    connection.answered += 1;
    connection.lastAnswerAt = performance.now();
    // undici closes the connection right after this call, where the target says that it does.
    queueMicrotask(() => {
      if (connection.socket.destroyed) {
        if (!reset) this.#closing.closed(this.#origin, connection.answered);
        // undici would send them again, and again and again.
        this.#sendAgain([...this.#sent].filter((one) => one.on === connection));
      }
      this.#pump();
    });
  }

  #failed(exchange: Exchange, error: unknown): void {
    const connection = exchange.on;
    const behind = [...this.#sent].filter(
      (one) => one !== exchange && (one.on === connection || connection === null),
    );
    if (connection === null) {
      // There was no connection, so there is none for the others either. Or the request itself cannot be sent.
      this.#finish(exchange, describe(error));
      if (isInvalid(error)) this.#pumpSoon();
      else this.#giveUp([...behind, ...this.#waiting.splice(0)], error);
      return;
    }
    // A request that went alone can only blame itself.
    const mayGoAgain = connection.answered > 0 && !this.#goesAlone(exchange);
    if (behind.length > 0) this.#suspects.add(exchange.request.id);
    if (isClosed(error) && exchange.status === null && mayGoAgain) {
      if (performance.now() - connection.lastAnswerAt < idleMs)
        this.#closing.closed(this.#origin, connection.answered);
      this.#sendAgain([exchange, ...behind]);
      return;
    }
    this.#finish(exchange, describe(error));
    const why = new Error('it was not answered: an earlier request on the same connection failed');
    this.#giveUp(behind, why);
    this.#pumpSoon();
  }

  /** The connection was closed before their answers: they go again, in their order and before all others. */
  #sendAgain(exchanges: Exchange[]): void {
    for (const exchange of exchanges) {
      exchange.again = true;
      this.#withdraw(exchange);
    }
    this.#waiting.unshift(...exchanges);
    this.#pumpSoon();
  }

  #giveUp(exchanges: readonly Exchange[], error: unknown): void {
    for (const exchange of exchanges) {
      this.#withdraw(exchange);
      this.#finish(exchange, describe(error));
    }
  }

  /** Takes a request back from undici, which would send it again by itself. */
  #withdraw(exchange: Exchange): void {
    exchange.sending += 1;
    this.#sent.delete(exchange);
    exchange.controller?.abort(new Error('withdrawn'));
    exchange.controller = null;
  }

  /** Not within undici's own call. */
  #pumpSoon(): void {
    queueMicrotask(() => {
      this.#pump();
    });
  }

  /** undici has thrown at what a target sent: everything on that connection fails, and the next request is made anew. */
  #replaceClient(client: Client, error: unknown): void {
    if (client !== this.#client) return;
    const lost = [...this.#sent];
    for (const exchange of lost) exchange.controller = null;
    this.#connection = null;
    this.#client = this.#makeClient();
    this.#giveUp(lost, error);
    client.destroy().catch(() => undefined);
    this.#pumpSoon();
  }

  #finish(exchange: Exchange, error: string | null): void {
    this.#sent.delete(exchange);
    exchange.sending += 1;
    this.#headSince = performance.now();
    exchange.resolve(answerOf(exchange, error));
  }

  readonly #checkHead = (): void => {
    this.#timer = null;
    const head = this.#sent.values().next().value;
    if (head === undefined) return;
    const { timeoutMs } = this.#options;
    const leftMs = this.#headSince + timeoutMs - performance.now();
    if (leftMs <= 0 && head.controller !== null) {
      head.controller.abort(new Error(`no complete answer within ${String(timeoutMs)} ms`));
    }
    if (this.#sent.size > 0) this.#timer = setTimeout(this.#checkHead, Math.max(leftMs, 20)).unref();
  };
}
