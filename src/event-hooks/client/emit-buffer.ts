import type { TransportStats } from './transport.ts';
import type { HookEvent } from '../model/event.ts';

export interface Batch {
  /** Rises from 1. */
  number: number;
  events: HookEvent[];
}

interface Sent {
  /** The number of the batch when it went for the first time. */
  order: number;
  events: HookEvent[];
}

const maxEventsPerBatch = 500;
const maxBytesPerBatch = 2 * 1024 * 1024;

/**
 * Events that the dispatcher has not acknowledged: those that wait, and those on their way. Bounded in number and size;
 * what does not fit is dropped and counted. Order is kept, also when batches come back.
 */
export class EmitBuffer {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #stats: TransportStats;
  #waiting: HookEvent[] = [];
  #head = 0;
  readonly #onTheWay = new Map<number, Sent>();
  /** Batches that came back, in order. */
  readonly #returned: Sent[] = [];
  #bytes = 0;
  #number = 0;
  /** Those who wait until nothing is left. */
  #waiters: (() => void)[] = [];

  constructor(maxEvents: number, maxBytes: number, stats: TransportStats) {
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
    this.#stats = stats;
  }

  add(events: readonly HookEvent[]): void {
    for (const event of events) {
      if (this.#stats.buffered >= this.#maxEvents || this.#bytes + event.data.length > this.#maxBytes) {
        this.#stats.dropped += 1;
        continue;
      }
      this.#stats.buffered += 1;
      this.#bytes += event.data.length;
      this.#waiting.push(event);
    }
  }

  /** The next batch to send, null when nothing waits. */
  next(): Batch | null {
    const returned = this.#returned.shift();
    if (returned !== undefined) return this.#send(returned);
    const events: HookEvent[] = [];
    let bytes = 0;
    for (let event = this.#waiting[this.#head]; event !== undefined; event = this.#waiting[this.#head]) {
      bytes += event.data.length;
      if (events.length > 0 && (events.length >= maxEventsPerBatch || bytes > maxBytesPerBatch)) break;
      events.push(event);
      this.#head += 1;
    }
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    }
    if (events.length === 0) return null;
    return this.#send({ order: 0, events });
  }

  /** @param refused how many events of the batch can never be taken */
  acknowledge(number: number, refused: number): void {
    const events = this.#onTheWay.get(number)?.events;
    if (events === undefined) return;
    this.#onTheWay.delete(number);
    this.#stats.buffered -= events.length;
    this.#stats.acknowledged += events.length - refused;
    this.#stats.dropped += refused;
    for (const event of events) this.#bytes -= event.data.length;
    if (this.#stats.buffered === 0) for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** Resolves when every event is acknowledged, or after `timeoutMs`. */
  async emptied(timeoutMs: number): Promise<void> {
    if (this.#stats.buffered === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      new Promise<void>((resolve) => this.#waiters.push(resolve)),
      new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs))),
    ]);
    clearTimeout(timer);
  }

  /** A batch that was not taken: it goes again, before everything that came after it. */
  putBack(number: number): void {
    const sent = this.#onTheWay.get(number);
    if (sent === undefined) return;
    this.#onTheWay.delete(number);
    const at = this.#returned.findIndex((other) => other.order > sent.order);
    this.#returned.splice(at === -1 ? this.#returned.length : at, 0, sent);
  }
  putBackAll(): void {
    for (const number of [...this.#onTheWay.keys()]) this.putBack(number);
  }

  #send({ order, events }: Sent): Batch {
    const number = ++this.#number;
    this.#onTheWay.set(number, { order: order === 0 ? number : order, events });
    this.#stats.sent += events.length;
    return { number, events };
  }
}
