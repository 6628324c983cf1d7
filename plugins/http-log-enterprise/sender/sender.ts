import { PostClient } from 'kong-ts/http-client';
import type { PostHead, PostResult } from 'kong-ts/http-client';
import type { Endpoint } from '../config/endpoint.ts';
import type { SenderSettings } from '../config/settings.ts';
import type { Clock } from '../queue/clock.ts';
import type { Delivery } from '../queue/queue.ts';
import { isWorthRetrying, retryAfterOf } from './answer.ts';
import { PayloadBuilder } from './payload.ts';
import type { Payload } from './payload.ts';

/** How long a fail-over endpoint is used before the ones before it are tried again, in milliseconds. */
const failBackAfterMs = 30_000;
/** How much of an answer goes into an error text. */
const answerBeginning = 256;

interface Target {
  readonly endpoint: Endpoint;
  readonly client: PostClient;
  readonly head: PostHead;
}

export interface SendStats {
  /** Bytes of request bodies that were accepted. */
  bytes(count: number): void;
  /** How long a successful attempt took, in seconds. */
  latency(seconds: number): void;
}

/** An attempt that is under way. */
interface Attempt {
  readonly payload: Payload;
  /** The target that it began with. */
  readonly first: number;
  readonly failures: (Delivery & { ok: false })[];
  readonly settle: (delivery: Delivery) => void;
}

/** Sends batches to the first endpoint that takes them. */
export class Sender {
  readonly #targets: readonly Target[];
  #current = 0;
  #failedOverAt = 0;
  readonly #clock: Clock;
  readonly #stats: SendStats;
  readonly #payloads: PayloadBuilder;

  /** @param atTurnEnd runs something at the end of the turn of the event loop, when what is sent leaves */
  constructor(
    settings: SenderSettings,
    clock: Clock,
    stats: SendStats,
    atTurnEnd: (run: () => void) => void = setImmediate,
  ) {
    this.#clock = clock;
    this.#stats = stats;
    this.#payloads = new PayloadBuilder(settings);
    this.#targets = settings.endpoints.map((endpoint) => openTarget(endpoint, settings, atTurnEnd));
  }

  /** One attempt: every endpoint once, starting with the one that worked last. Tells once what came of it. */
  send(records: readonly Buffer[], settle: (delivery: Delivery) => void): void {
    const payload = this.#payloads.build(records);
    if (payload instanceof Promise) {
      const failed = (error: unknown) => settle(failure(`a batch cannot be compressed: ${describe(error)}`));
      payload.then((built) => this.#begin(built, settle), failed);
    } else this.#begin(payload, settle);
  }

  /** Makes the attempts under way fail. */
  close(): void {
    const stopped = new Error('the configuration has stopped');
    for (const { client } of this.#targets) client.destroy(stopped);
  }

  #begin(payload: Payload, settle: (delivery: Delivery) => void): void {
    if (this.#current > 0 && this.#clock.now() - this.#failedOverAt > failBackAfterMs) this.#current = 0;
    this.#next({ payload, first: this.#current, failures: [], settle });
  }

  /** Tries the next target, or gives up. */
  #next(attempt: Attempt): void {
    const { payload, first, failures, settle } = attempt;
    const index = (first + failures.length) % this.#targets.length;
    const target = failures.length < this.#targets.length ? this.#targets[index] : undefined;
    if (target === undefined) {
      settle(allOf(failures));
      return;
    }
    const started = this.#clock.now();
    target.client.send(target.head, payload.body, (result) => {
      const delivery = this.#look(target, result);
      if (!delivery.ok) {
        failures.push(delivery);
        this.#next(attempt);
        return;
      }
      this.#stats.bytes(payload.body.length);
      this.#stats.latency((this.#clock.now() - started) / 1000);
      if (index !== this.#current) {
        this.#current = index;
        this.#failedOverAt = this.#clock.now();
      }
      // Only after a whole exchange: a connection that failed may still hold on to the bytes.
      if (failures.length === 0) payload.release();
      settle(delivery);
    });
  }

  #look({ endpoint: { label } }: Target, result: PostResult): Delivery {
    if (result.error !== null) return failure(`failed request to ${label}: ${describe(result.error)}`);
    const { status, body, retryAfter } = result;
    if (status < 300) return delivered;
    return {
      ok: false,
      retry: isWorthRetrying(status),
      retryAfterMs: retryAfterOf(retryAfter ?? undefined, this.#clock.wall()),
      reason: `request to ${label} returned status code ${status} and body ${body.slice(0, answerBeginning)}`,
    };
  }
}

const delivered: Delivery = { ok: true };

const failure = (reason: string): Delivery & { ok: false } => ({
  ok: false,
  retry: true,
  retryAfterMs: null,
  reason,
});

function allOf(failures: readonly (Delivery & { ok: false })[]): Delivery {
  return {
    ok: false,
    retry: failures.some(({ retry }) => retry),
    retryAfterMs: failures.reduce<number | null>(
      (least, { retryAfterMs }) => shorter(least, retryAfterMs),
      null,
    ),
    reason: failures.map(({ reason }) => reason).join('; '),
  };
}

/** The longest time that a timer takes, in milliseconds. */
const longestTimerMs = 0x7fffffff;

/** As nginx keeps an idle connection: for as long as the other side likes at 0, not at all below. */
function keepaliveOf(time: number): number {
  const whole = Math.trunc(time);
  if (whole === 0) return longestTimerMs;
  return Math.min(longestTimerMs, Math.max(0, whole));
}

function openTarget(
  endpoint: Endpoint,
  settings: SenderSettings,
  atTurnEnd: (run: () => void) => void,
): Target {
  const { connections, pipelining, timeoutMs, keepaliveMs, tls, method } = settings;
  const client = new PostClient(endpoint.origin, {
    connections,
    pipelining,
    timeoutMs,
    keepaliveMs: keepaliveOf(keepaliveMs),
    tls,
    atTurnEnd,
  });
  return { endpoint, client, head: client.prepare(method, endpoint.path, headersOf(endpoint, settings)) };
}

function headersOf({ authorization }: Endpoint, { headers, compression }: SenderSettings): string[] {
  return [
    ...Object.entries(headers).flat(),
    ...(authorization === null ? [] : ['authorization', authorization]),
    ...(compression === 'none' ? [] : ['content-encoding', compression]),
  ];
}

function shorter(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.min(a, b);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // One for each address that was tried.
  if (error instanceof AggregateError) return error.errors.map(describe).join(', ');
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return code === '' || error.message.includes(code) ? error.message : `${code}: ${error.message}`;
}
