import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../base/clock.ts';
import type { Dispatcher } from '../../dispatcher/dispatcher.ts';
import { plainRow, rowOf } from './rows.ts';
import type { Row } from './rows.ts';

/** A row with the number that it has in this process. */
export interface Numbered {
  readonly number: number;
  readonly row: Row;
}
type Listener = (numbered: Numbered) => void;

/** How many rows are remembered for those who come back. */
const kept = 2000;
/** How long the dispatcher is listened to after the last watcher has left, in milliseconds. */
const lingerMs = 60_000;

/**
 * The last rows, so that a watcher whose connection broke misses none. Rows are made only while somebody watches, and for a
 * minute after that.
 */
export class RecentRows {
  readonly #dispatcher: Pick<Dispatcher, 'feed' | 'receiver'>;
  readonly #clock: Clock;
  /** Tells the numbers of this process from those of another one. */
  readonly #process = randomBytes(4).toString('hex');
  readonly #listeners = new Set<Listener>();
  #rows: Numbered[] = [];
  #last = 0;
  #end: (() => void) | null = null;
  #timer: unknown = null;

  constructor(dispatcher: Pick<Dispatcher, 'feed' | 'receiver'>, clock: Clock) {
    this.#dispatcher = dispatcher;
    this.#clock = clock;
  }

  /** The id of a row in the stream. */
  idOf({ number }: Numbered): string {
    return `${this.#process}-${String(number)}`;
  }

  /** The rows after an id; null where it is not known what has happened since. */
  after(id: string): Numbered[] | null {
    const [, process, text] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(id) ?? [];
    const number = Number(text);
    const first = this.#rows[0]?.number ?? this.#last + 1;
    if (process !== this.#process || this.#end === null || number > this.#last || number + 1 < first)
      return null;
    return this.#rows.filter((one) => one.number > number);
  }

  /** @returns the function that ends it */
  watch(listener: Listener): () => void {
    this.#listeners.add(listener);
    this.#clock.clearTimeout(this.#timer);
    this.#end ??= this.#listen();
    return () => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
      this.#timer = this.#clock.setTimeout(() => {
        this.close();
      }, lingerMs);
    };
  }

  add(row: Row): void {
    if (this.#end === null) return;
    const numbered = { number: ++this.#last, row };
    this.#rows.push(numbered);
    if (this.#rows.length >= 2 * kept) this.#rows = this.#rows.slice(-kept);
    for (const listener of [...this.#listeners]) listener(numbered);
  }

  /** Listens to nobody any more, and forgets what there was. */
  close(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#end?.();
    this.#end = null;
    this.#rows = [];
    // Stands for what happens from now on, so that no row which comes later is the next one of a row before.
    this.#last += 1;
  }

  #listen(): () => void {
    const { feed, receiver } = this.#dispatcher;
    const endTail = feed.tail((notice) => {
      this.add(rowOf(notice));
    });
    let isFirst = true;
    const endHooks = feed.watchInterest((_interest, version) => {
      // The first time says what is, and nothing that has changed.
      if (!isFirst) this.add(plainRow('hooks', { version }));
      isFirst = false;
    });
    const endReceiver = receiver.watch(({ id, hookId, at, method, path, bytes, standard, kong }) => {
      const event_hook = hookId === null ? null : { id: hookId };
      const shown = { id, event_hook, at: at / 1000, method, path, bytes, signature: { standard, kong } };
      this.add(plainRow('received', shown, hookId));
    });
    return () => {
      endReceiver();
      endTail();
      endHooks();
    };
  }
}
