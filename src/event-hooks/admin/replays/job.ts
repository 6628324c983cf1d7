import { randomUUID } from 'node:crypto';
import { messageOf } from '../../../base/errors.ts';
import type { Dispatcher } from '../../dispatcher/dispatcher.ts';
import type { Notice } from '../../dispatcher/feed.ts';
import type { ReplayJobAnswer } from '../answers.ts';
import { choose } from './selection.ts';
import type { Chosen, ReplaySelection } from './selection.ts';

type State = ReplayJobAnswer['state'];

/** How many are made due at a time. */
const atOnce = 200;
/** While so many of a hook are on their way, no more are made due, for a second at most. */
const mostUnderWay = 1000;
const lookMs = 50;
const mostLooks = 20;
/** Beyond this number, nobody follows what becomes of them. */
const mostFollowed = 100_000;
/** A longer question is not repeated live: each row is kept for a while. Characters of JSON. */
const longestAsked = 4096;
/** How long what becomes of them is followed after the last one was made due, in milliseconds. */
const followMs = 600_000;

/**
 * A replay of many deliveries: it counts them first, starts when it is told to, says how far it is, and can be stopped. It
 * replays what it has counted and no other. It lives in memory: an end of the process ends it, and what was made due stays due.
 */
export class ReplayJob {
  readonly id = randomUUID();
  readonly #dispatcher: Dispatcher;
  readonly #selection: ReplaySelection;
  readonly #asked: Record<string, unknown>;
  readonly #isLong: boolean;
  readonly #changed: (job: ReplayJob) => void;
  readonly #createdAt: number;
  #state: State = 'counting';
  #chosen: Chosen = new Map();
  #found = 0;
  #looked = 0;
  #replayed = 0;
  #passedOver = 0;
  #delivered = 0;
  #failed = 0;
  #error: string | null = null;
  #finishedAt: number | null = null;
  #isMaking = false;
  #endFollowing: () => void = () => undefined;

  /**
   * @param asked as the client has put it
   * @param changed told of each step
   */
  constructor(
    dispatcher: Dispatcher,
    selection: ReplaySelection,
    asked: Record<string, unknown>,
    changed: (job: ReplayJob) => void,
  ) {
    this.#dispatcher = dispatcher;
    this.#selection = selection;
    this.#asked = asked;
    this.#isLong = JSON.stringify(asked).length > longestAsked;
    this.#changed = changed;
    this.#createdAt = dispatcher.options.clock.now();
  }

  get state(): State {
    return this.#state;
  }
  get isOver(): boolean {
    return this.#state === 'done' || this.#state === 'stopped' || this.#state === 'failed';
  }

  show(): ReplayJobAnswer {
    const isFollowed = this.#found <= mostFollowed;
    return {
      id: this.id,
      state: this.#state,
      total: this.#state === 'counting' ? null : this.#found,
      found: this.#found,
      looked: this.#looked,
      replayed: this.#replayed,
      passed_over: this.#passedOver,
      delivered: isFollowed ? this.#delivered : null,
      failed: isFollowed ? this.#failed : null,
      error: this.#error,
      created_at: this.#createdAt / 1000,
      finished_at: this.#finishedAt === null ? null : this.#finishedAt / 1000,
      query: this.#asked,
    };
  }

  /** The same for the live view: a long question, as one with many ids, is left out. */
  showLive(): ReplayJobAnswer {
    return this.#isLong ? { ...this.show(), query: {} } : this.show();
  }

  /** Counts. Never rejects. */
  async count(): Promise<void> {
    try {
      await this.#dispatcher.outbox.flush();
      const chosen = await choose(
        this.#dispatcher,
        this.#selection,
        (found, looked) => {
          this.#found = found;
          this.#looked = looked;
          this.#changed(this);
        },
        () => this.#state === 'counting',
      );
      if (this.#state !== 'counting') return;
      this.#chosen = chosen;
      this.#become('ready');
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Makes what was counted due. Never rejects. @returns false unless it has been counted and waits */
  start(): boolean {
    if (this.#state !== 'ready') return false;
    this.#become('running');
    this.#follow();
    void this.#run();
    return true;
  }

  /** Ends it where it is. What was made due is delivered all the same. */
  stop(): void {
    if (!this.isOver) this.#become('stopped');
  }

  /** Lets go of everything. */
  close(): void {
    this.stop();
    this.#endFollowing();
  }

  async #run(): Promise<void> {
    const states = this.#selection.states;
    this.#isMaking = true;
    try {
      for (const [hookId, seqs] of this.#chosen) {
        for (let at = 0; at < seqs.length; at += atOnce) {
          if (this.isOver) return;
          const some = seqs.slice(at, at + atOnce);
          const made = await this.#dispatcher.replay({ hookId, seqs: some, states, size: some.length });
          this.#replayed += made.length;
          // They have been replayed, or have gone, since they were counted.
          this.#passedOver += some.length - made.length;
          this.#changed(this);
          await this.#room(hookId);
        }
      }
      if (!this.isOver) this.#become('done');
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isMaking = false;
      this.#settle();
    }
  }

  /** Waits until the hook's deliveries have gone on. One that is switched off does not hold the others up. */
  async #room(hookId: string): Promise<void> {
    const { backlog, options } = this.#dispatcher;
    for (let looks = 0; looks < mostLooks; looks += 1) {
      if (this.isOver || backlog.of(hookId) < mostUnderWay) return;
      await new Promise<void>((resolve) => options.clock.setTimeout(resolve, lookMs));
    }
  }

  /** Counts how the next attempt of each ends, as far as this process makes it. */
  #follow(): void {
    if (this.#found > mostFollowed) return;
    const left = new Map([...this.#chosen].map(([hookId, seqs]) => [hookId, new Set(seqs)]));
    this.#endFollowing = this.#dispatcher.feed.tail((notice) => {
      if (notice.type === 'delivery' && left.get(notice.hook)?.delete(notice.seq) === true)
        this.#ended(notice);
    });
  }

  #ended({ state }: Extract<Notice, { type: 'delivery' }>): void {
    if (state === 'delivered') this.#delivered += 1;
    else this.#failed += 1;
    this.#settle();
    this.#changed(this);
  }

  /** Follows no more once it is over and each has ended; a stopped one may still be making its last portion due. */
  #settle(): void {
    if (this.isOver && !this.#isMaking && this.#delivered + this.#failed >= this.#replayed)
      this.#endFollowing();
  }

  #become(state: State): void {
    this.#state = state;
    if (this.isOver) {
      this.#finishedAt = this.#dispatcher.options.clock.now();
      this.#chosen = new Map();
      this.#followOn();
    }
    this.#changed(this);
  }

  /** Nothing more becomes due: what has become due is followed a while longer. */
  #followOn(): void {
    const end = this.#endFollowing;
    const { clock } = this.#dispatcher.options;
    const timer = clock.setTimeout(end, followMs);
    this.#endFollowing = () => {
      clock.clearTimeout(timer);
      end();
    };
    this.#settle();
  }

  #fail(error: unknown): void {
    this.#error = messageOf(error);
    if (!this.isOver) this.#become('failed');
  }
}
