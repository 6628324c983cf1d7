import { createRequire } from 'node:module';
import { passingOverInformational } from 'kong-ts/http-client';
import type { Pool } from 'undici';
import type * as Undici from 'undici';
import type { Endpoint } from '../config/endpoint.ts';
import type { SenderSettings } from '../config/settings.ts';
import type { Clock } from '../queue/clock.ts';
import type { Delivery } from '../queue/queue.ts';
import { isWorthRetrying, retryAfterOf } from './answer.ts';
import { PayloadBuilder } from './payload.ts';

const require = createRequire(import.meta.url);

/** How long a fail-over endpoint is used before the ones before it are tried again, in milliseconds. */
const failBackAfterMs = 30_000;
/** How much of an answer goes into an error text. */
const answerBeginning = 256;
/** A longer answer is not read to its end; its connection is closed. */
const longestAnswer = 65_536;

interface Target {
  readonly endpoint: Endpoint;
  readonly pool: Pool;
  readonly headers: Record<string, string>;
}

export interface SendStats {
  /** Bytes of request bodies that were accepted. */
  bytes(count: number): void;
  /** How long a successful attempt took, in seconds. */
  latency(seconds: number): void;
}

/** Sends batches to the first endpoint that takes them. */
export class Sender {
  readonly #targets: readonly Target[];
  #current = 0;
  #failedOverAt = 0;
  readonly #settings: SenderSettings;
  readonly #clock: Clock;
  readonly #stats: SendStats;
  readonly #payloads: PayloadBuilder;

  constructor(settings: SenderSettings, clock: Clock, stats: SendStats) {
    this.#settings = settings;
    this.#clock = clock;
    this.#stats = stats;
    this.#payloads = new PayloadBuilder(settings);
    this.#targets = settings.endpoints.map((endpoint) => ({
      endpoint,
      pool: openPool(endpoint, settings),
      headers: withAuthorization(settings.headers, endpoint.authorization),
    }));
  }

  /** One attempt: every endpoint once, starting with the one that worked last. Never rejects. */
  async send(records: readonly Buffer[]): Promise<Delivery> {
    const { body, headers, release } = await this.#payloads.build(records);
    if (this.#current > 0 && this.#clock.now() - this.#failedOverAt > failBackAfterMs) this.#current = 0;
    const first = this.#current;
    const failures: (Delivery & { ok: false })[] = [];
    for (let i = 0; i < this.#targets.length; i++) {
      const index = (first + i) % this.#targets.length;
      const target = this.#targets[index];
      if (target === undefined) continue;
      const result = await this.#post(target, body, headers);
      if (result.ok) {
        if (index !== this.#current) {
          this.#current = index;
          this.#failedOverAt = this.#clock.now();
        }
        // Only after a whole exchange: a connection that failed may still hold on to the bytes.
        if (failures.length === 0) release();
        return result;
      }
      failures.push(result);
    }
    return {
      ok: false,
      retry: failures.some(({ retry }) => retry),
      retryAfter: failures.reduce<number | null>((least, { retryAfter }) => shorter(least, retryAfter), null),
      reason: failures.map(({ reason }) => reason).join('; '),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#targets.map(({ pool }) => pool.destroy()));
  }

  async #post(target: Target, body: Buffer, extra: Readonly<Record<string, string>>): Promise<Delivery> {
    const started = this.#clock.now();
    try {
      const answer = await target.pool.request({
        path: target.endpoint.path,
        method: this.#settings.method,
        headers: { ...target.headers, ...extra },
        body,
      });
      // The status is what counts: who sends the rest byte by byte holds nobody up.
      const patience = setTimeout(() => answer.body.destroy(), this.#settings.timeoutMs);
      answer.body.once('close', () => clearTimeout(patience));
      if (answer.statusCode < 300) {
        await answer.body.dump();
        this.#stats.bytes(body.length);
        this.#stats.latency((this.#clock.now() - started) / 1000);
        return { ok: true };
      }
      const text = await beginning(answer.body);
      return {
        ok: false,
        retry: isWorthRetrying(answer.statusCode),
        retryAfter: retryAfterOf(answer.headers['retry-after'], this.#clock.wall()),
        reason: `request to ${target.endpoint.label} returned status code ${answer.statusCode} and body ${text}`,
      };
    } catch (error) {
      return {
        ok: false,
        retry: true,
        retryAfter: null,
        reason: `failed request to ${target.endpoint.label}: ${describe(error)}`,
      };
    }
  }
}

/** The longest time that a timer takes, in milliseconds. */
const longestTimer = 0x7fffffff;

/**
 * As nginx keeps an idle connection: for as long as the other side likes at 0, not at all below. A connection of this
 * client has to be kept for a millisecond.
 */
function keepaliveOf(time: number): number {
  const whole = Math.trunc(time);
  if (whole === 0) return longestTimer;
  return Math.min(longestTimer, Math.max(1, whole));
}

function openPool(endpoint: Endpoint, settings: SenderSettings): Pool {
  const { verify, ca, certificate, key } = settings.tls;
  const { timeoutMs } = settings;
  const keepalive = keepaliveOf(settings.keepaliveMs);
  // Read by the first sender: Kong waits for `kong-ts dump` at each start, and undici is half of what it would read.
  const { Pool, buildConnector } = require('undici') as typeof Undici;
  return new Pool(endpoint.origin, {
    connections: settings.connections,
    pipelining: 1,
    keepAliveTimeout: keepalive,
    keepAliveMaxTimeout: keepalive,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: passingOverInformational(
      buildConnector({
        timeout: timeoutMs,
        // As Kong's http-log.
        allowH2: false,
        rejectUnauthorized: verify,
        ...(ca === null ? {} : { ca }),
        ...(certificate === null || key === null ? {} : { cert: certificate, key }),
      }),
    ),
  });
}

function withAuthorization(
  headers: Readonly<Record<string, string>>,
  authorization: string | null,
): Record<string, string> {
  return authorization === null ? { ...headers } : { ...headers, authorization };
}

async function beginning(body: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  let read = 0;
  try {
    for await (const chunk of body) {
      read += chunk.length;
      if (text.length < answerBeginning) text += chunk.toString('utf8');
      if (read > longestAnswer) break;
    }
  } catch {
    // It breaks off: what came of it is all there is to say.
  }
  return text.slice(0, answerBeginning);
}

function shorter(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.min(a, b);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  return `${code}${error.message}`;
}
