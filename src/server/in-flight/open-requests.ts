import { writeSync } from 'node:fs';
import type { Phase } from '../../pdk/names/index.ts';
import { phases } from '../../pdk/names/index.ts';

/** A MsgPack:1 request that waits for its answer. */
export interface OpenRequest {
  /** Of the connection that it came on; 0 where it was forwarded from another worker. */
  readonly ticket: number;
  /** By which Kong knows the answer. */
  readonly id: number;
  /** 0 where no event has begun. */
  readonly eventId: number;
  /**
   * `start` for a StartInstance. Null for what cannot have ended this worker: the event runs on another worker or server, or an
   * instance is closed.
   */
  readonly phase: Phase | 'start' | null;
}

/** Requests at the same time. Further ones are not noted. */
const places = 4096;
const fields = 4;
const bytesOfOne = fields * Int32Array.BYTES_PER_ELEMENT;
/** What they take in the file of what is in flight, and where. */
export const requestsSize: number = places * bytesOfOne;
export const requestsAt: number = 32 * 1024;
const largest = 2 ** 32;

/** What is written in place of a phase, from 1 on. */
const codes = [...phases, 'start', null] as const;
const codeOf: ReadonlyMap<OpenRequest['phase'], number> = new Map(codes.map((code, at) => [code, at + 1]));

/**
 * The MsgPack:1 requests that this worker owes an answer, in a file where its supervisor finds them when it has died: Kong goes on
 * without the plugin where a connection ends before the answer. Each is written before anything of a plugin runs, because that may
 * end the process at once, and is crossed out before its answer leaves, so that nothing is answered twice. The two writes cost 1.3
 * microseconds (measured on Node 24).
 */
export class OpenRequests {
  readonly #table = new Int32Array(places * fields);
  readonly #bytes = new Uint8Array(this.#table.buffer);
  readonly #free = Array.from({ length: places }, (_, index) => places - 1 - index);
  #descriptor: number | null;
  readonly #write: typeof writeSync;

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
    this.#table[at + 3] = codeOf.get(phase) ?? 0;
    this.#save(place);
    return place;
  }

  /** The answer is about to leave. */
  close(place: number): void {
    if (place < 0) return;
    this.#table[place * fields + 3] = 0;
    this.#free.push(place);
    this.#save(place);
  }

  #save(place: number): void {
    if (this.#descriptor === null) return;
    const at = place * bytesOfOne;
    try {
      this.#write(this.#descriptor, this.#bytes, at, bytesOfOne, requestsAt + at);
    } catch {
      // Without the file those requests are what they were: skipped by Kong.
      this.#descriptor = null;
    }
  }
}

/** Reads the part of the file from `requestsAt` on. */
export function readOpenRequests(table: Int32Array): OpenRequest[] {
  const requests: OpenRequest[] = [];
  for (let at = 0; at + fields <= table.length; at += fields) {
    const phase = codes[(table[at + 3] ?? 0) - 1];
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
