import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { readOpenRequests, requestsAt, requestsSize } from './open-requests.ts';
import type { OpenRequest } from './open-requests.ts';
import { fields, readInFlight } from './register.ts';
import type { InFlightEvent, InFlightRegister } from './register.ts';

/**
 * Where a worker's guard leaves copies of its register for the supervisor: a file without a name, which both have open
 * and which is gone with them. It begins with the time of the copy (float64), the register follows.
 */
export class InFlightFile {
  readonly descriptor: number;

  private constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  /**
   * @param path where the file is made for a moment; its folder has to be writable
   * @returns null when that is not possible: events in flight stay unknown then
   */
  static create(path: string, write: typeof writeSync = writeSync): InFlightFile | null {
    let descriptor: number | null = null;
    try {
      descriptor = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      // The disk's room is taken now, so that no later write lacks it.
      const room = new Uint8Array(requestsAt + requestsSize);
      if (write(descriptor, room, 0, room.length, 0) === room.length) return new InFlightFile(descriptor);
    } catch {
      // As on a full disk.
    }
    // Workers are started for as long as the supervisor lives, and each start would leave one open.
    if (descriptor !== null) closeSync(descriptor);
    return null;
  }

  read(): InFlightEvent[] {
    const bytes = new Uint8Array(requestsAt);
    const length = readSync(this.descriptor, bytes, 0, bytes.length, 0);
    if (length < 8) return [];
    const [time = 0] = new Float64Array(bytes.buffer, 0, 1);
    return readInFlight(new Int32Array(bytes.buffer, 8, Math.floor((length - 8) / 4)), time);
  }

  /** MsgPack:1 requests that wait for an answer, see OpenRequests. */
  readRequests(): OpenRequest[] {
    const bytes = new Uint8Array(requestsSize);
    const length = readSync(this.descriptor, bytes, 0, bytes.length, requestsAt);
    return readOpenRequests(new Int32Array(bytes.buffer, 0, Math.floor(length / 4)));
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/**
 * Copies the register at every change, so that nothing is missing when the process ends: a few microseconds for each
 * event. Its guard copies it every 50 ms only.
 * @returns ends it
 */
export function writeThrough(register: InFlightRegister, descriptor: number): () => void {
  const table = new Int32Array(register.memory);
  const bytes = new Uint8Array(8 + register.memory.byteLength);
  const time = new Float64Array(bytes.buffer, 0, 1);
  const stop = (): void => {
    register.changed = null;
  };
  let written = 0;
  register.changed = () => {
    let end = table.length;
    while (end > 0 && table[end - fields + 1] === 0) end -= fields;
    const last = Math.max(end * 4, written);
    bytes.set(new Uint8Array(register.memory, 0, last), 8);
    time[0] = Date.now();
    written = end * 4;
    try {
      writeSync(descriptor, bytes, 0, 8 + last, 0);
    } catch {
      stop();
    }
  };
  return stop;
}
