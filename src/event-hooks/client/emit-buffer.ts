import type { TransportStats } from './transport.ts';
import type { HookEvent } from '../model/event.ts';

export interface Batch {
  /** Rises from 1. */
  number: number;
  events: HookEvent[];
}

interface Sent {
  /** Its place: batches that come back go again in this order. */
  order: number;
  events: HookEvent[];
  /** How often it came back. */
  returns: number;
  /** How often it came back although others had been taken in the meantime. */
  alone: number;
  /** How many batches had been taken when it went first, or came back last. */
  taken: number;
}

const maxEventsPerBatch = 500;
const maxBytesPerBatch = 2 * 1024 * 1024;
/** No dispatcher takes a longer event: its gRPC takes messages of 16 MiB, and an event by default 1 MiB. */
const maxEventBytes = 8 * 1024 * 1024;
/** A batch that came back so often is sent in halves, so that one event does not hold the others. */
const returnsBeforeHalving = 3;
/** A single event that came back so often, while others were taken, will never be taken. */
const returnsBeforeGivingUp = 8;

/** What an event takes, here and in a message: three bytes at most for a character of UTF-16. */
function sizeOf({ data, source, event }: HookEvent): number {
  const length = data.length + source.length + event.length;
  return (length > 65_536 ? Buffer.byteLength(data) + (length - data.length) * 3 : length) + 200;
}

/**
 * Events that the dispatcher has not acknowledged: those that wait, and those on their way. The buffer is bounded in
 * number and bytes. It drops and counts events that do not fit, and those that no dispatcher can take. It keeps the
 * order, also when batches come back. While the dispatcher's store fails, it gives nothing up. It gives up an event
 * that fails while others pass.
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
  #order = 0;
  /** Batches that were taken. */
  #taken = 0;
  /** Callers that wait until nothing is left. */
  #waiters: (() => void)[] = [];

  constructor(maxEvents: number, maxBytes: number, stats: TransportStats) {
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
    this.#stats = stats;
  }

  add(events: readonly HookEvent[]): void {
    for (const event of events) {
      const size = sizeOf(event);
      const full = this.#stats.buffered >= this.#maxEvents || this.#bytes + size > this.#maxBytes;
      if (full || size > maxEventBytes) {
        this.#stats.dropped += 1;
        continue;
      }
      this.#stats.buffered += 1;
      this.#bytes += size;
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
      bytes += sizeOf(event);
      if (events.length > 0 && (events.length >= maxEventsPerBatch || bytes > maxBytesPerBatch)) break;
      events.push(event);
      this.#head += 1;
    }
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    }
    if (events.length === 0) return null;
    return this.#send({ order: ++this.#order, events, returns: 0, alone: 0, taken: 0 });
  }

  /** @param refused how many events of the batch can never be taken */
  acknowledge(number: number, refused: number): void {
    const events = this.#onTheWay.get(number)?.events;
    if (events === undefined) return;
    this.#onTheWay.delete(number);
    if (refused < events.length) this.#taken += 1;
    this.#forget(events, refused);
  }

  #forget(events: readonly HookEvent[], refused: number): void {
    this.#stats.buffered -= events.length;
    this.#stats.acknowledged += events.length - refused;
    this.#stats.dropped += refused;
    for (const event of events) this.#bytes -= sizeOf(event);
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
    sent.returns += 1;
    if (this.#taken > sent.taken) sent.alone += 1;
    sent.taken = this.#taken;
    if (sent.events.length === 1 && sent.alone >= returnsBeforeGivingUp) {
      this.#forget(sent.events, 1);
      return;
    }
    const at = this.#returned.findIndex((other) => other.order > sent.order);
    const place = at === -1 ? this.#returned.length : at;
    this.#returned.splice(place, 0, ...(this.#shouldHalve(sent, place) ? halves(sent) : [sent]));
  }
  putBackAll(): void {
    for (const number of [...this.#onTheWay.keys()]) this.putBack(number);
  }

  /**
   * While nothing passes at all, only the first batch is sent: it shows whether the events or the store are at fault.
   */
  #shouldHalve(sent: Sent, place: number): boolean {
    if (sent.events.length < 2 || sent.returns < returnsBeforeHalving) return false;
    return place === 0 || sent.alone > 0;
  }

  #send(sent: Sent): Batch {
    const number = ++this.#number;
    this.#onTheWay.set(number, { ...sent, taken: sent.returns === 0 ? this.#taken : sent.taken });
    this.#stats.sent += sent.events.length;
    return { number, events: sent.events };
  }
}

/** Both keep the place of the whole; the second one lies behind the first and before what follows. */
function halves({ order, events, taken }: Sent): Sent[] {
  const middle = Math.ceil(events.length / 2);
  const fresh = { returns: 0, alone: 0, taken };
  return [
    { order, events: events.slice(0, middle), ...fresh },
    { order: order + 2 ** -20 * events.length, events: events.slice(middle), ...fresh },
  ];
}
