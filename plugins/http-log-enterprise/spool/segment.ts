import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, rm, truncate } from 'node:fs/promises';
import { FrameSearch, headerSize, readFrame, writeHeader } from './frame.ts';
import type { OpenFile, WriteNow } from './plain-file.ts';
import { openPlain, readPlain } from './plain-file.ts';

/** How much is read back from the disk at a time. */
const readSize = 262_144;
/** Turns an offset into a done mark. Eight bytes of zeros or of garbage are not a mark. */
const markMask = 0x5f3759df;
const markSize = 8;
/** The buffer for records that are written while everything waits. Nobody reads it after the write. */
const scratch = Buffer.allocUnsafeSlow(65_536);

/** One file of records, and beside it the list of those that are done (their offsets). */
export class Segment {
  readonly path: string;
  /** Bytes that are written, up to the end of the last whole record. */
  size = 0;
  /** Records that are neither delivered nor given up. */
  outstanding = 0;
  /** Those of them that are on disk only, from `loadAt` on. */
  unloaded = 0;
  /** Nothing is written to it any more. */
  sealed = false;
  /** Where reading back goes on. */
  loadAt = 0;
  /** When its first and its last record were written, in milliseconds since 1970. */
  oldest = Infinity;
  newest = 0;
  /** Bytes that are not whole records: a crash or a full disk has cut them off or damaged them. */
  damaged = 0;
  /** Damage that readable records follow: where it begins, and where it ends. */
  readonly holes = new Map<number, number>();
  /** Offsets of the records that were done when a former process ended. */
  readonly doneBefore = new Set<number>();
  #newlyDone: number[] = [];
  #doneSize = 0;
  #removed = false;
  #lastTurn: Promise<void> = Promise.resolve();
  #file: FileHandle | null = null;
  #doneFile: FileHandle | null = null;
  readonly #openFile: OpenFile;

  private constructor(path: string, openFile: OpenFile) {
    this.path = path;
    this.#openFile = openFile;
  }

  static async create(path: string, openFile: OpenFile = open): Promise<Segment> {
    const segment = new Segment(path, openFile);
    // Not opened for appending, because after a write that failed half-way, the next one has to begin at the same
    // place.
    segment.#file = await openFile(path, 'wx', 0o600);
    return segment;
  }

  /** A segment of a former process: read through once, to know what is in it. Damaged records are left out. */
  static async recover(path: string, openFile: OpenFile = open): Promise<Segment> {
    const segment = new Segment(path, openFile);
    segment.sealed = true;
    await segment.#readDone();
    const { bytes, written } = await readPlain(path, openFile);
    const search = new FrameSearch(bytes);
    for (let at = 0; at < bytes.length;) {
      const record = readFrame(bytes, at);
      if (record === null) {
        const next = search.find(at + 1);
        segment.damaged += next - at;
        if (next < bytes.length) segment.holes.set(at, next);
        at = next;
        continue;
      }
      if (!segment.doneBefore.has(at)) segment.outstanding += 1;
      at = record.next;
      segment.size = at;
    }
    segment.unloaded = segment.outstanding;
    segment.oldest = segment.newest = written;
    return segment;
  }

  async #readDone(): Promise<void> {
    const done = await readPlain(`${this.path}.done`, this.#openFile).then(
      ({ bytes }) => bytes,
      () => Buffer.alloc(0),
    );
    for (let at = 0; at + markSize <= done.length; at += markSize) {
      const offset = done.readUInt32LE(at);
      if ((done.readUInt32LE(at + 4) ^ offset) === markMask) this.doneBefore.add(offset);
    }
    this.#doneSize = done.length - (done.length % markSize);
  }

  /**
   * Writes records after those that are there.
   *
   * @param wall milliseconds since 1970
   * @returns the offset of each
   * @throws what the file system throws; then none of them is in the segment
   */
  async write(records: readonly Buffer[], sync: boolean, wall: number): Promise<number[]> {
    if (this.#file === null) throw new Error(`${this.path} is closed`);
    const headers = Buffer.allocUnsafe(records.length * headerSize);
    const pieces: Buffer[] = [];
    const offsets: number[] = [];
    let end = this.size;
    for (const [i, record] of records.entries()) {
      writeHeader(record, headers, i * headerSize);
      pieces.push(headers.subarray(i * headerSize, (i + 1) * headerSize), record);
      offsets.push(end);
      end += headerSize + record.length;
    }
    const { bytesWritten } = await this.#file.writev(pieces, this.size);
    if (bytesWritten < end - this.size) {
      // A full disk takes a part; asked for the rest, it says what is wrong.
      const rest = Buffer.concat(pieces).subarray(bytesWritten);
      for (let at = 0; at < rest.length;) {
        at += (await this.#file.write(rest, at, rest.length - at, this.size + bytesWritten + at))
          .bytesWritten;
      }
    }
    if (sync) await this.#file.datasync();
    this.#advance(end, records.length, wall);
    return offsets;
  }

  /**
   * The same while everything waits, without a sync.
   *
   * @returns the offset of each
   * @throws what the file system throws; then none of them is in the segment
   */
  writeNow(records: readonly Buffer[], write: WriteNow, wall: number): number[] {
    if (this.#file === null) throw new Error(`${this.path} is closed`);
    const offsets: number[] = [];
    let length = 0;
    for (const record of records) {
      offsets.push(this.size + length);
      length += headerSize + record.length;
    }
    const bytes = length <= scratch.length ? scratch : Buffer.allocUnsafeSlow(length);
    let at = 0;
    for (const record of records) {
      writeHeader(record, bytes, at);
      record.copy(bytes, at + headerSize);
      at += headerSize + record.length;
    }
    write(this.#file, bytes, length, this.size);
    this.#advance(this.size + length, records.length, wall);
    return offsets;
  }

  #advance(end: number, records: number, wall: number): void {
    this.size = end;
    this.outstanding += records;
    this.oldest = Math.min(this.oldest, wall);
    this.newest = wall;
  }

  async sync(): Promise<void> {
    await this.#file?.datasync();
  }

  /** The next whole records from `loadAt` on, as one piece of the file. */
  async readOn(): Promise<Buffer> {
    const file = await openPlain(this.path, this.#openFile);
    try {
      const left = this.size - this.loadAt;
      const bytes = await readFully(file, this.loadAt, Math.min(left, readSize));
      const first = bytes.length < headerSize ? 0 : headerSize + bytes.readUInt32LE(0);
      return first <= bytes.length ? bytes : await readFully(file, this.loadAt, Math.min(left, first));
    } finally {
      await file.close();
    }
  }

  markDone(offsets: readonly number[]): void {
    this.outstanding -= offsets.length;
    for (const offset of offsets) this.#newlyDone.push(offset);
  }

  /** Writes down what is done since the last time. */
  flushDone(): Promise<void> {
    return this.#newlyDone.length === 0 ? Promise.resolve() : this.#inTurn(() => this.#writeDone());
  }

  /** Resolves when what was begun on the file is done. */
  settled(): Promise<void> {
    return this.#lastTurn;
  }

  #inTurn(run: () => Promise<void>): Promise<void> {
    const turn = this.#lastTurn.then(run);
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }

  async #writeDone(): Promise<void> {
    if (this.#newlyDone.length === 0 || this.#removed) return;
    const offsets = this.#newlyDone;
    this.#newlyDone = [];
    const bytes = Buffer.allocUnsafe(offsets.length * markSize);
    for (const [i, offset] of offsets.entries()) {
      bytes.writeUInt32LE(offset, i * markSize);
      bytes.writeUInt32LE((offset ^ markMask) >>> 0, i * markSize + 4);
    }
    try {
      this.#doneFile ??= await this.#openFile(
        `${this.path}.done`,
        constants.O_WRONLY | constants.O_CREAT,
        0o600,
      );
      const { bytesWritten } = await this.#doneFile.write(bytes, 0, bytes.length, this.#doneSize);
      if (bytesWritten < bytes.length) throw new Error('the disk is full');
      this.#doneSize += bytes.length;
    } catch (error) {
      this.#newlyDone = offsets.concat(this.#newlyDone);
      throw error;
    }
  }

  /** Ends writing: it removes what a failed write left behind, and closes the file. */
  seal(sync: boolean): Promise<void> {
    this.sealed = true;
    return this.#inTurn(async () => {
      const file = this.#file;
      if (file === null) return;
      this.#file = null;
      try {
        if (sync) await file.datasync();
      } finally {
        await file.close();
      }
      if (!this.#removed) await truncate(this.path, this.size);
    });
  }

  /** Gives up the records that are on disk only, and the room that they take. Returns how many they were. */
  cut(): { lost: number; done: Promise<void> } {
    const lost = this.unloaded;
    this.unloaded = 0;
    this.outstanding -= lost;
    this.size = this.loadAt;
    return {
      lost,
      done: this.#inTurn(async () => {
        if (!this.#removed) await truncate(this.path, this.size);
      }),
    };
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#closeFiles());
  }

  async #closeFiles(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
    await this.#doneFile?.close();
    this.#doneFile = null;
  }

  remove(): Promise<void> {
    return this.#inTurn(async () => {
      this.#removed = true;
      await this.#closeFiles();
      await rm(this.path, { force: true });
      await rm(`${this.path}.done`, { force: true });
    });
  }
}

async function readFully(file: FileHandle, position: number, length: number): Promise<Buffer> {
  // Not from the shared pool: records in the queue are views of it.
  const bytes = Buffer.allocUnsafeSlow(length);
  let read = 0;
  while (read < length) {
    const step = await file.read(bytes, read, length - read, position + read);
    if (step.bytesRead === 0) break;
    read += step.bytesRead;
  }
  return bytes.subarray(0, read);
}
