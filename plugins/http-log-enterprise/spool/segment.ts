import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { readFrame } from './frame.ts';

/** One append-only file of records, and beside it the list of those that are done (indexes, 32 bit each). */
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
  /** Records that were done when a former process ended. */
  readonly doneBefore = new Set<number>();
  private readonly newlyDone: number[] = [];
  private removed = false;
  private lastTurn: Promise<void> = Promise.resolve();
  private file: FileHandle | null = null;
  private doneFile: FileHandle | null = null;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(path: string): Promise<Segment> {
    const segment = new Segment(path);
    segment.file = await open(path, 'ax');
    return segment;
  }

  /** A segment of a former process: read through once, to know what is in it. Ends at the first damaged record. */
  static async recover(path: string): Promise<Segment> {
    const segment = new Segment(path);
    segment.sealed = true;
    const done = await readFile(`${path}.done`).catch(() => Buffer.alloc(0));
    for (let at = 0; at + 4 <= done.length; at += 4) segment.doneBefore.add(done.readUInt32LE(at));
    const bytes = await readFile(path);
    for (;;) {
      const record = readFrame(bytes, segment.size);
      if (record === null) break;
      segment.size = record.next;
      if (!segment.doneBefore.has(segment.count)) segment.outstanding += 1;
      segment.count += 1;
    }
    return segment;
  }

  /** Appends framed records. */
  async write(frames: readonly Buffer[], sync: boolean): Promise<void> {
    if (this.file === null) return;
    const bytes = frames.length === 1 && frames[0] !== undefined ? frames[0] : Buffer.concat(frames);
    let written = 0;
    while (written < bytes.length) {
      const step = await this.file.write(bytes, written, bytes.length - written, this.size + written);
      written += step.bytesWritten;
    }
    if (sync) await this.file.datasync();
    this.size += bytes.length;
  }

  async sync(): Promise<void> {
    await this.file?.datasync();
  }

  /** The records from `loadAt` on, as one piece of the file. */
  async readOn(): Promise<Buffer> {
    const file = await open(this.path, 'r');
    try {
      const bytes = Buffer.allocUnsafe(this.size - this.loadAt);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, this.loadAt);
      return bytes.subarray(0, bytesRead);
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
    return this.inTurn(() => this.writeDone());
  }

  private inTurn(run: () => Promise<void>): Promise<void> {
    const turn = this.lastTurn.then(run);
    this.lastTurn = turn.catch(() => undefined);
    return turn;
  }

  private async writeDone(): Promise<void> {
    if (this.newlyDone.length === 0 || this.removed) return;
    const bytes = Buffer.allocUnsafe(this.newlyDone.length * 4);
    this.newlyDone.splice(0).forEach((index, i) => bytes.writeUInt32LE(index, i * 4));
    this.doneFile ??= await open(`${this.path}.done`, 'a');
    await this.doneFile.write(bytes);
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
