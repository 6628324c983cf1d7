import type { Asked } from '../../kong-admin/index.ts';
import type { Clock } from '../../base/clock.ts';
import type { WatchLog } from '../port.ts';
import { PollFailures } from './poll-failures.ts';
import { unitsOf, UsualCost } from './usual-cost.ts';

/** The result of a poll. */
export interface Polled {
  /** It has read, it has had nothing to read, or it has read and the next one follows at once. */
  readonly did: 'read' | 'nothing' | 'again';
}

export interface PollerOptions {
  readonly clock: Clock;
  readonly log: WatchLog;
  /** What is read, for the log. */
  readonly what: string;
  /** The shortest time between two polls, in milliseconds. */
  readonly intervalMs: number;
  readonly poll: () => Promise<Polled>;
  /** Milliseconds until the next poll has something to do. */
  readonly untilDue: () => number;
  readonly failed: () => void;
  /** What was asked of Kong until now. */
  readonly asked: () => Asked;
  /** Milliseconds that have passed, from any beginning; performance.now by default. */
  readonly elapsed?: () => number;
}

/**
 * After a poll, the poller rests this many times as long as such a poll usually takes, so that it does not read a large
 * Kong all the time.
 */
const restFactor = 4;
const longestRestMs = 300_000;
/** Polls that somebody asks for are followed by a rest as long as they usually take: at least half of the time is Kong's. */
const askedRestFactor = 1;

/** Polls one after the other, never two at once: by the clock, and when asked for. */
export class Poller {
  readonly #options: PollerOptions;
  readonly #failures: PollFailures;
  readonly #usual = new UsualCost();
  #timer: unknown = null;
  #running: Promise<void> | null = null;
  #waiting: (() => void)[] = [];
  #askedAgain = false;
  #quietUntil = 0;
  /** A requested poll waits no longer than this, even if the clock is set back. */
  #quietMs = 0;
  #closed = false;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#failures = new PollFailures(options.log, options.what);
  }

  get closed(): boolean {
    return this.#closed;
  }

  start(): void {
    this.#schedule(0);
  }

  /** A poll as soon as may be. @returns resolves when a poll that began after this call is over */
  soon(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#running !== null) this.#askedAgain = true;
      else this.#schedule(this.#untilQuiet());
    });
  }

  /** A poll now, whatever the clock says. */
  async now(): Promise<void> {
    while (this.#running !== null) await this.#running;
    await this.#run();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.clock.clearTimeout(this.#timer);
    await this.#running;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #schedule(ms: number): void {
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = clock.setTimeout(() => {
      if (this.#running === null) void this.#run();
    }, ms);
  }

  #run(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#options.clock.clearTimeout(this.#timer);
    const waiting = this.#waiting.splice(0);
    this.#running = this.#poll().then((waitMs) => {
      this.#running = null;
      for (const resolve of waiting) resolve();
      const asked = this.#askedAgain;
      this.#askedAgain = false;
      this.#schedule(asked ? this.#untilQuiet() : waitMs);
    });
    return this.#running;
  }

  /** @returns milliseconds until the next poll; never rejects */
  async #poll(): Promise<number> {
    const { clock, poll, untilDue, intervalMs, failed } = this.#options;
    const costs = this.#measure();
    let next: number;
    let quietMs: number;
    try {
      const { did } = await poll();
      if (did !== 'nothing') this.#failures.succeeded();
      const costMs = costs();
      quietMs = Math.min(costMs * askedRestFactor, longestRestMs);
      next = did === 'again' ? quietMs : Math.max(restAfter(costMs), untilDue());
    } catch (error) {
      if (this.#closed) return 0;
      failed();
      const after = this.#failures.failed(error, intervalMs);
      // It may have read much before it failed.
      next = Math.max(after.waitMs, restAfter(costs()));
      quietMs = after.askedMs;
    }
    this.#quietUntil = clock.now() + quietMs;
    this.#quietMs = quietMs;
    return next;
  }

  /** Begins to measure a poll. @returns what it has cost when it is over, in milliseconds */
  #measure(): () => number {
    const { asked, elapsed = () => performance.now() } = this.#options;
    const began = elapsed();
    const before = asked();
    return () => {
      const { requests, entities } = asked();
      const units = unitsOf({
        requests: requests - before.requests,
        entities: entities - before.entities,
      });
      return this.#usual.of(units, elapsed() - began);
    };
  }

  #untilQuiet(): number {
    return Math.max(0, Math.min(this.#quietUntil - this.#options.clock.now(), this.#quietMs));
  }
}

const restAfter = (costMs: number): number => Math.min(costMs * restFactor, longestRestMs);
