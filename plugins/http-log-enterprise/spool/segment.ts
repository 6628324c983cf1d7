import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rm, truncate } from 'node:fs/promises';
import { headerSize, readFrame, writeHeader } from './frame.ts';

/** How much is read back from the disk at a time. */
const readSize = 262_144;

/** One file of records, and beside it the list of those that are done (indexes, 32 bit each). */
export class Segment {
  readonly path: string;
  size = 0;
  count = 0;
  /** Records that are neither delivered nor given up. */
  outstanding = 0;
  /** Nothing is written to it any more. */
  sealed = false;
  /** Where reading back goes on, in bytes and in records. */
  loadAt = 0;
  loadIndex = 0;
  /** Bytes at the end that are no whole records: what a crash or a full disk cut off. */
  damaged = 0;
  /** Records that were done when a former process ended. */
  readonly doneBefore = new Set<number>();
  private newlyDone: number[] = [];
  private doneSize = 0;
  private removed = false;
  private lastTurn: Promise<void> = Promise.resolve();
  private file: FileHandle | null = null;
  private doneFile: FileHandle | null = null;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(path: string): Promise<Segment> {
    const segment = new Segment(path);
    // Not opened for appending: after a write that failed half-way, the next one has to go where that one began.
    segment.file = await open(path, 'wx');
    return segment;
  }

  /** A segment of a former process: read through once, to know what is in it. Ends at the first damaged record. */
  static async recover(path: string): Promise<Segment> {
    const segment = new Segment(path);
    segment.sealed = true;
    const done = await readFile(`${path}.done`).catch(() => Buffer.alloc(0));
    for (let at = 0; at + 4 <= done.length; at += 4) segment.doneBefore.add(done.readUInt32LE(at));
    segment.doneSize = done.length - (done.length % 4);
    const bytes = await readFile(path);
    for (;;) {
      const record = readFrame(bytes, segment.size);
      if (record === null) break;
      segment.size = record.next;
      if (!segment.doneBefore.has(segment.count)) segment.outstanding += 1;
      segment.count += 1;
    }
    segment.damaged = bytes.length - segment.size;
    return segment;
  }

  /**
   * Writes records after those that are there.
   *
   * @throws what the file system throws; then none of them is in the segment
   */
  async write(records: readonly Buffer[], sync: boolean): Promise<void> {
    if (this.file === null) throw new Error(`${this.path} is closed`);
    const headers = Buffer.allocUnsafe(records.length * headerSize);
    const pieces: Buffer[] = [];
    let length = headers.length;
    records.forEach((record, i) => {
      writeHeader(record, headers, i * headerSize);
      pieces.push(headers.subarray(i * headerSize, (i + 1) * headerSize), record);
      length += record.length;
    });
    const { bytesWritten } = await this.file.writev(pieces, this.size);
    if (bytesWritten < length) {
      // A full disk takes a part; asked for the rest, it says what is wrong.
      const rest = Buffer.concat(pieces).subarray(bytesWritten);
      for (let at = 0; at < rest.length;) {
        at += (await this.file.write(rest, at, rest.length - at, this.size + bytesWritten + at)).bytesWritten;
      }
    }
    if (sync) await this.file.datasync();
    this.size += length;
  }

  async sync(): Promise<void> {
    await this.file?.datasync();
  }

  /** The next whole records from `loadAt` on, as one piece of the file. */
  async readOn(): Promise<Buffer> {
    const file = await open(this.path, 'r');
    try {
      const left = this.size - this.loadAt;
      const bytes = await readFully(file, this.loadAt, Math.min(left, readSize));
      const first = bytes.length < headerSize ? 0 : headerSize + bytes.readUInt32LE(0);
      return first <= bytes.length ? bytes : await readFully(file, this.loadAt, Math.min(left, first));
    } finally {
      await file.close();
    }
  }

  markDone(index: number): void {
    this.outstanding -= 1;
    this.newlyDone.push(index);
  }

  /** Writes down what is done since the last time. */
  flushDone(): Promise<void> {
    return this.newlyDone.length === 0 ? Promise.resolve() : this.inTurn(() => this.writeDone());
  }

  private inTurn(run: () => Promise<void>): Promise<void> {
    const turn = this.lastTurn.then(run);
    this.lastTurn = turn.catch(() => undefined);
    return turn;
  }

  private async writeDone(): Promise<void> {
    if (this.newlyDone.length === 0 || this.removed) return;
    const indexes = this.newlyDone;
    this.newlyDone = [];
    const bytes = Buffer.allocUnsafe(indexes.length * 4);
    indexes.forEach((index, i) => bytes.writeUInt32LE(index, i * 4));
    try {
      this.doneFile ??= await open(`${this.path}.done`, constants.O_WRONLY | constants.O_CREAT);
      const { bytesWritten } = await this.doneFile.write(bytes, 0, bytes.length, this.doneSize);
      if (bytesWritten < bytes.length) throw new Error('the disk is full');
      this.doneSize += bytes.length;
    } catch (error) {
      this.newlyDone = indexes.concat(this.newlyDone);
      throw error;
    }
  }

  /** Ends writing: what a failed write left behind goes, and the file is closed. */
  seal(sync: boolean): Promise<void> {
    this.sealed = true;
    return this.inTurn(async () => {
      if (this.file === null) return;
      if (sync) await this.file.datasync();
      await this.file.close();
      this.file = null;
      if (!this.removed) await truncate(this.path, this.size);
    });
  }

  close(): Promise<void> {
    return this.inTurn(() => this.closeFiles());
  }

  private async closeFiles(): Promise<void> {
    await this.file?.close();
    this.file = null;
    await this.doneFile?.close();
    this.doneFile = null;
  }

  remove(): Promise<void> {
    return this.inTurn(async () => {
      this.removed = true;
      await this.closeFiles();
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
