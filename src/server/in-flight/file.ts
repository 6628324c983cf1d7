import { closeSync, openSync, readSync, unlinkSync } from 'node:fs';
import { readInFlight, type InFlightEvent } from './register.ts';

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
  static create(path: string): InFlightFile | null {
    try {
      const descriptor = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return new InFlightFile(descriptor);
    } catch {
      return null;
    }
  }

  read(): InFlightEvent[] {
    const bytes = new Uint8Array(64 * 1024);
    const length = readSync(this.descriptor, bytes, 0, bytes.length, 0);
    if (length < 8) return [];
    const [time = 0] = new Float64Array(bytes.buffer, 0, 1);
    return readInFlight(new Int32Array(bytes.buffer, 8, Math.floor((length - 8) / 4)), time);
  }

  close(): void {
    closeSync(this.descriptor);
  }
}
