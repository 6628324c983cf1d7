/** What an event takes beside the bytes of Kong's answers to it, in bytes; measured on Node 24: 2 to 3 KiB. */
const ownBytes = 4096;

/** What all events that wait for a step may hold by default: 65,536 events that have asked once. Bytes. */
const mostBytes = 256 * 1024 * 1024;

/** An event that may wait for a step of Kong. Its links belong to the `UnsteppedEvents` it is in. */
export interface Unstepped {
  /** Bytes of Kong's answers to it so far. */
  readonly answeredBytes: number;
  unsteppedWeight: number;
  unsteppedPrevious: Unstepped | null;
  unsteppedNext: Unstepped | null;
  /** There are too many: Kong will not step this one. */
  givenUp(): void;
}

/**
 * The events of MsgPack:1 that have asked Kong something and have no answer yet. They hold no connection, so that one
 * connection can begin any number of them. Kong answers within moments. Once these events hold too much, the one that
 * has waited longest is given up. They form a list by links of their own, for the reason that EventTable gives.
 */
export class UnsteppedEvents {
  readonly #most: number;
  #first: Unstepped | null = null;
  #last: Unstepped | null = null;
  #bytes = 0;

  constructor(most = mostBytes) {
    this.#most = most;
  }

  /** What they hold, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  add(event: Unstepped): void {
    this.remove(event);
    event.unsteppedWeight = ownBytes + event.answeredBytes;
    this.#bytes += event.unsteppedWeight;
    event.unsteppedPrevious = this.#last;
    if (this.#last === null) this.#first = event;
    else this.#last.unsteppedNext = event;
    this.#last = event;
    while (this.#bytes > this.#most && this.#first !== null && this.#first !== event) {
      const oldest = this.#first;
      this.remove(oldest);
      oldest.givenUp();
    }
  }

  remove(event: Unstepped): void {
    if (event.unsteppedWeight === 0) return;
    const { unsteppedPrevious: previous, unsteppedNext: next } = event;
    if (previous === null) this.#first = next;
    else previous.unsteppedNext = next;
    if (next === null) this.#last = previous;
    else next.unsteppedPrevious = previous;
    this.#bytes -= event.unsteppedWeight;
    event.unsteppedWeight = 0;
    event.unsteppedPrevious = null;
    event.unsteppedNext = null;
  }
}
