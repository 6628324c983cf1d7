import type { Asked } from '../../kong-admin/index.ts';
import type { Clock } from '../../base/clock.ts';
import type { WatchLog } from '../port.ts';
import { Pace } from './pace.ts';
import { unitsOf, UsualCost } from './usual-cost.ts';

/** The result of a turn. */
export interface Turn {
  /** It has read, it has had nothing to read, or it has read and the next one follows at once. */
  readonly did: 'read' | 'nothing' | 'again';
}

export interface LoopOptions {
  readonly clock: Clock;
  readonly log: WatchLog;
  /** What is read, for the log. */
  readonly what: string;
  /** The shortest time between two turns, in milliseconds. */
  readonly intervalMs: number;
  readonly turn: () => Promise<Turn>;
  /** Milliseconds until the next turn has something to do. */
  readonly wait: () => number;
  readonly failed: () => void;
  /** What was asked of Kong until now. */
  readonly asked: () => Asked;
  /** Milliseconds that have passed, from any beginning; performance.now by default. */
  readonly elapsed?: () => number;
}

/**
 * After a turn, the loop rests this many times as long as such a turn usually takes, so that it does not read a large
 * Kong all the time.
 */
const restFactor = 4;
const longestRestMs = 300_000;
/** Turns that somebody asks for rest as long as they usually take: at least half of the time is Kong's. */
const askedRestFactor = 1;

/** Turns one after the other, never two at once: by the clock, and when asked for. */
export class Loop {
  readonly #options: LoopOptions;
  readonly #pace: Pace;
  readonly #usual = new UsualCost();
  #timer: unknown = null;
  #running: Promise<void> | null = null;
  #waiting: (() => void)[] = [];
  #askedAgain = false;
  #quietUntil = 0;
  /** A requested turn waits no longer than this, even if the clock is set back. */
  #quietMs = 0;
  #closed = false;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#pace = new Pace(options.log, options.what);
  }

  get closed(): boolean {
    return this.#closed;
  }

  start(): void {
    this.#schedule(0);
  }

  /** A turn as soon as may be. @returns resolves when a turn that began after this call is over */
  soon(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#running !== null) this.#askedAgain = true;
      else this.#schedule(this.#untilQuiet());
    });
  }

  /** A turn now, whatever the clock says. */
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
    this.#running = this.#turn().then((waitMs) => {
      this.#running = null;
      for (const resolve of waiting) resolve();
      const asked = this.#askedAgain;
      this.#askedAgain = false;
      this.#schedule(asked ? this.#untilQuiet() : waitMs);
    });
    return this.#running;
  }

  /** @returns milliseconds until the next turn; never rejects */
  async #turn(): Promise<number> {
    const { clock, turn, wait, intervalMs, failed } = this.#options;
    const costs = this.#measure();
    let next: number;
    let quiet: number;
    try {
      const { did } = await turn();
      if (did !== 'nothing') this.#pace.succeeded();
      const costMs = costs();
      quiet = Math.min(costMs * askedRestFactor, longestRestMs);
      next = did === 'again' ? quiet : Math.max(restAfter(costMs), wait());
    } catch (error) {
      if (this.#closed) return 0;
      failed();
      const pace = this.#pace.failed(error, intervalMs);
      // It may have read much before it failed.
      next = Math.max(pace.wait, restAfter(costs()));
      quiet = pace.asked;
    }
    this.#quietUntil = clock.now() + quiet;
    this.#quietMs = quiet;
    return next;
  }

  /** Begins to measure a turn. @returns what it has cost when it is over, in milliseconds */
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
