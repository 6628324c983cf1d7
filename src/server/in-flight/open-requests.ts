import { writeSync } from 'node:fs';
import type { Phase } from '../../pdk/names/index.ts';
import { phases } from '../../pdk/names/index.ts';

/** A MsgPack:1 request about an event that waits for its answer. */
export interface OpenRequest {
  /** Of the connection that it came on; 0 where it was forwarded from another worker. */
  readonly ticket: number;
  /** By which Kong knows the answer. */
  readonly id: number;
  /** 0 where no event has begun. */
  readonly eventId: number;
  /** Null where the event runs on another worker or server: what it does has not ended this one. */
  readonly phase: Phase | null;
}

const places = 512;
const fields = 4;
const bytesOfOne = fields * Int32Array.BYTES_PER_ELEMENT;
/** What they take in the file of what is in flight, and where. */
export const requestsSize: number = places * bytesOfOne;
export const requestsAt: number = 32 * 1024;
const largest = 2 ** 32;

/** In place of a phase. */
const elsewhere = phases.length + 1;
const phaseCode = Object.fromEntries(phases.map((phase, index) => [phase, index + 1])) as Record<
  Phase,
  number
>;

/**
 * The MsgPack:1 requests that this worker owes an answer, where its supervisor finds them when it has died: Kong goes on without the
 * plugin where a connection ends before the answer. What is answered in the turn of the event loop in which it came, as most are, is never
 * written; what takes longer is at the end of that turn, and is crossed out before the answer leaves, so that nothing is answered twice.
 *
 * A handler that blocks the event loop keeps that turn from ending: then the guard writes them, see startGuard.
 */
export class OpenRequests {
  /** An Int32 that is 1 once the guard has written all of them, and the requests. */
  readonly memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT + requestsSize);
  readonly #guarded = new Int32Array(this.memory, 0, 1);
  readonly #table = new Int32Array(this.memory, Int32Array.BYTES_PER_ELEMENT);
  readonly #free = Array.from({ length: places }, (_, index) => places - 1 - index);
  readonly #written = new Uint8Array(places);
  readonly #fresh: number[] = [];
  readonly #descriptor: number | null;
  readonly #write: typeof writeSync;
  #scheduled = false;
  /** Each request is written as it comes: the worker before this one has died, maybe with a handler that ends it at once. */
  careful = false;

  /** @param descriptor of the file; null where there is none, and nothing is noted */
  constructor(descriptor: number | null, write: typeof writeSync = writeSync) {
    this.#descriptor = descriptor;
    this.#write = write;
  }

  /** @returns what `close` takes; -1 where there is no room, or no way to say it */
  open({ ticket, id, eventId, phase }: OpenRequest): number {
    const place = this.#descriptor !== null && id < largest ? this.#free.pop() : undefined;
    if (place === undefined) return -1;
    const at = place * fields;
    this.#table[at] = ticket;
    this.#table[at + 1] = id | 0;
    this.#table[at + 2] = eventId | 0;
    this.#table[at + 3] = phase === null ? elsewhere : phaseCode[phase];
    if (this.careful) this.#save(place, 1);
    this.#fresh.push(place);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    }
    return place;
  }

  /** The answer is about to leave. */
  close(place: number): void {
    if (place < 0) return;
    this.#table[place * fields + 3] = 0;
    this.#free.push(place);
    if (this.#written[place] === 1 || this.#guarded[0] === 1) this.#save(place, 0);
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#guarded[0] === 1) this.#takeBack();
    for (const place of this.#fresh) {
      if (this.#table[place * fields + 3] !== 0 && this.#written[place] === 0) this.#save(place, 1);
    }
    this.#fresh.length = 0;
  }

  /** The guard has written all of them: what it wrote and is over is crossed out. */
  #takeBack(): void {
    for (let place = 0; place < places; place++) {
      this.#save(place, this.#table[place * fields + 3] === 0 ? 0 : 1);
    }
    this.#guarded[0] = 0;
  }

  #save(place: number, written: 0 | 1): void {
    if (this.#descriptor === null) return;
    this.#written[place] = written;
    const bytes = new Uint8Array(this.memory, Int32Array.BYTES_PER_ELEMENT + place * bytesOfOne, bytesOfOne);
    try {
      this.#write(this.#descriptor, bytes, 0, bytesOfOne, requestsAt + place * bytesOfOne);
    } catch {
      // Without the file those requests are what they were: skipped by Kong.
    }
  }
}

/** Reads the part of the file from `requestsAt` on. */
export function readOpenRequests(table: Int32Array): OpenRequest[] {
  const requests: OpenRequest[] = [];
  for (let at = 0; at + fields <= table.length; at += fields) {
    const code = table[at + 3] ?? 0;
    const phase = code === elsewhere ? null : phases[code - 1];
    if (phase === undefined) continue;
    requests.push({
      ticket: table[at] ?? 0,
      id: (table[at + 1] ?? 0) >>> 0,
      eventId: (table[at + 2] ?? 0) >>> 0,
      phase,
    });
  }
  return requests;
}
