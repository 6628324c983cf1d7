import { isIP, type LookupFunction, type Socket } from 'node:net';
import { Client, buildConnector } from 'undici';
import type { Dispatcher } from 'undici';
import { KongTsError, messageOf } from '../../errors.ts';
import type { TargetGuard } from './target-guard.ts';

export interface HttpTargetOptions {
  guard: TargetGuard;
  /** Whether a certificate must be valid. */
  sslVerify: boolean;
  /** For one attempt, in milliseconds. */
  timeoutMs: number;
  /** A longer response fails the attempt. */
  maxResponseBytes: number;
  /** How much of a response is kept. */
  keepResponseBytes: number;
  /** Requests on their way at a time; they share one connection, so that they arrive in the order of their start. */
  pipelining: number;
}

export interface HttpRequest {
  method: string;
  path: string;
  /** Name, value, name, value... */
  headers: string[];
  body: string | Buffer | null;
}

/** A response, or the reason why there was none. */
export interface HttpAnswer {
  status: number | null;
  headers: Record<string, string>;
  /** The beginning of the body. */
  body: string;
  error: string | null;
}

interface Exchange extends HttpAnswer {
  chunks: Buffer[];
  bytes: number;
  startedAt: number;
  controller: Dispatcher.DispatchController | null;
  done: boolean;
  resolve: (answer: HttpAnswer) => void;
}

/**
 * One hook's connection to its target. Requests are pipelined on it: they arrive in order, and throughput does not
 * depend on the target's latency. The time limit counts from when a request is first in line, so a slow answer does
 * not use up the time of the requests behind it; those are sent again on the next connection.
 */
export class HttpTarget {
  readonly #client: Client;
  readonly #options: HttpTargetOptions;
  readonly #inFlight = new Set<Exchange>();
  /** The connection there is, or was last. */
  #socket: Socket | null = null;
  #gathering = false;
  #headSince = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(origin: string, options: HttpTargetOptions) {
    this.#options = options;
    this.#client = new Client(origin, {
      pipelining: options.pipelining,
      connect: pinnedConnector(options, (socket) => (this.#socket = socket)),
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 10_000,
    });
  }

  /** Never rejects. Redirects are answers like any other; nothing is decompressed. */
  send(request: HttpRequest): Promise<HttpAnswer> {
    return new Promise((resolve) => {
      const exchange: Exchange = {
        status: null,
        headers: {},
        body: '',
        error: null,
        chunks: [],
        bytes: 0,
        startedAt: performance.now(),
        controller: null,
        done: false,
        resolve,
      };
      this.#inFlight.add(exchange);
      if (this.#inFlight.size === 1) this.#headSince = exchange.startedAt;
      this.#timer ??= setTimeout(this.#checkHead, this.#options.timeoutMs).unref();
      try {
        this.#gather();
        this.#client.dispatch(
          {
            ...request,
            method: request.method,
            // Marked so for undici to pipeline it; a repetition carries the same id.
            idempotent: true,
            blocking: false,
          },
          this.#handler(exchange),
        );
      } catch (error) {
        this.#finish(exchange, describe(error));
      }
    });
  }

  /** What is sent in one turn of the event loop goes to the system in one piece. */
  #gather(): void {
    const socket = this.#socket;
    if (socket === null || this.#gathering || socket.destroyed) return;
    this.#gathering = true;
    socket.cork();
    setImmediate(() => {
      this.#gathering = false;
      socket.uncork();
    });
  }

  async close(): Promise<void> {
    await this.#client.close().catch(() => undefined);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
  async destroy(): Promise<void> {
    await this.#client.destroy().catch(() => undefined);
  }

  #handler(exchange: Exchange): Dispatcher.DispatchHandler {
    return {
      onRequestStart: (controller) => {
        exchange.controller = controller;
        exchange.status = null;
        exchange.chunks = [];
        exchange.bytes = 0;
        // Sent just now and first in line: connecting does not count against the target's time.
        if (this.#inFlight.values().next().value === exchange) this.#headSince = performance.now();
      },
      onResponseStart: (_controller, status, headers) => {
        exchange.status = status;
        exchange.headers = flatten(headers);
      },
      onResponseData: (controller, chunk) => {
        if (exchange.bytes < this.#options.keepResponseBytes) {
          exchange.chunks.push(
            Buffer.from(chunk.subarray(0, this.#options.keepResponseBytes - exchange.bytes)),
          );
        }
        exchange.bytes += chunk.length;
        if (exchange.bytes > this.#options.maxResponseBytes) {
          controller.abort(
            new Error(`the response is larger than ${String(this.#options.maxResponseBytes)} bytes`),
          );
        }
      },
      onResponseEnd: () => {
        this.#finish(exchange, null);
      },
      onResponseError: (_controller, error) => {
        this.#finish(exchange, describe(error));
      },
    };
  }

  #finish(exchange: Exchange, error: string | null): void {
    if (exchange.done) return;
    exchange.done = true;
    this.#inFlight.delete(exchange);
    this.#headSince = performance.now();
    const { status, headers, bytes, chunks } = exchange;
    const encoding =
      bytes === 0 ? 'identity' : (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
    if (encoding === 'identity' || encoding === '') {
      exchange.resolve({ status, headers, body: Buffer.concat(chunks).toString('utf8'), error });
      return;
    }
    const name = encoding.slice(0, 40);
    exchange.resolve({
      status,
      headers,
      body: `[${name}, ${String(bytes)} bytes, not decompressed]`,
      error: error ?? `the answer is compressed (${name}), which was not asked for`,
    });
  }

  readonly #checkHead = (): void => {
    this.#timer = null;
    const head = this.#inFlight.values().next().value;
    if (head === undefined) return;
    const { timeoutMs } = this.#options;
    const left = Math.max(head.startedAt, this.#headSince) + timeoutMs - performance.now();
    if (left <= 0 && head.controller !== null) {
      head.controller.abort(new Error(`no complete answer within ${String(timeoutMs)} ms`));
    }
    if (this.#inFlight.size > 0) this.#timer = setTimeout(this.#checkHead, Math.max(left, 20)).unref();
  };
}

/** Connects to the addresses that the guard has checked, one after the other until one answers, and to no other. */
function pinnedConnector(
  { guard, sslVerify, timeoutMs }: HttpTargetOptions,
  onSocket: (socket: Socket) => void,
): buildConnector.connector {
  let checked: readonly string[] = [];
  // Asked in the turn of connect(): what has been checked just now, never the system's resolver.
  const lookup: LookupFunction = (_hostname, { all }, callback) => {
    const found = checked.map((address) => ({ address, family: isIP(address) }));
    if (all === true) callback(null, found);
    else callback(null, found[0]?.address ?? '', found[0]?.family ?? 0);
  };
  const connect = buildConnector({
    timeout: timeoutMs,
    allowH2: false,
    rejectUnauthorized: sslVerify,
    lookup,
    autoSelectFamily: true,
    // An address that says nothing leaves time for the others.
    autoSelectFamilyAttemptTimeout: Math.min(2000, Math.max(250, Math.floor(timeoutMs / 8))),
  });
  return (options, callback) => {
    const timer = setTimeout(() => {
      settle(new Error(`the name did not resolve within ${String(timeoutMs)} ms`), null);
    }, timeoutMs);
    let settled = false;
    const settle = (error: Error | null, addresses: readonly [string, ...string[]] | null): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      if (addresses === null) {
        callback(error ?? new Error('no address'), null);
        return;
      }
      const { servername, ...rest } = options;
      const https = options.protocol === 'https:';
      const name = servername ?? bareName(options.hostname);
      // An address in the URL is connected to without a lookup.
      const literal = isIP(bareAddress(options.hostname)) !== 0;
      checked = addresses;
      connect(
        {
          ...rest,
          hostname: literal ? addresses[0] : options.hostname,
          ...(https && name !== '' ? { servername: name } : {}),
        },
        (...made) => {
          if (made[0] === null) onSocket(made[1]);
          callback(...made);
        },
      );
    };
    guard.addresses(options.hostname).then(
      (addresses) => {
        settle(null, addresses);
      },
      (error: unknown) => {
        settle(error instanceof Error ? error : new Error(messageOf(error)), null);
      },
    );
  };
}

const bareAddress = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');
const bareName = (hostname: string): string => (/^[\d.]+$|^\[/.test(hostname) ? '' : hostname);

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

function describe(error: unknown): string {
  if (error instanceof KongTsError) return error.message;
  // One for each address that was tried.
  if (error instanceof AggregateError) return error.errors.map(describe).join(', ');
  const { code, message } = error as { code?: string; message?: string };
  const text = message === undefined || message === '' ? 'connection failed' : message;
  return code === undefined || text.includes(code) ? text : `${text} (${code})`;
}
