import type { Clock } from '../queue/clock.ts';
import type { DiskPace } from './disk-pace.ts';
import type { SpoolToken } from './options.ts';
import type { WriteNow } from './plain-file.ts';
import type { Segment } from './segment.ts';

/** A record that waits for its write. */
interface Append {
  readonly bytes: Buffer;
  readonly onDiskOnly: boolean;
  readonly settle: Settle;
}

/**
 * What became of a record: its token for the queue, or `on-disk` when it is read back later, because the queue is full or
 * older records are on disk only; `unwritable` when the disk refuses.
 */
export type Settle = (written: SpoolToken | 'on-disk' | 'unwritable') => void;

/** The spool as its appender sees it. */
export interface AppenderHost {
  /** The segment to write to. */
  segment(): Promise<Segment>;
  /** The same, null if the caller has to wait first. */
  segmentNow(): Segment | null;
  /** Whether older records are on disk only. If so, new ones have to queue up behind them. */
  isLagging(): boolean;
  /** Records were written from `start` on; `onDiskOnly`: they are not in the queue. */
  written(segment: Segment, start: number, records: number, onDiskOnly: boolean): void;
  failed(error: unknown): void;
  /** The work between two writes. */
  between(): Promise<void>;
}

export interface AppenderOptions {
  readonly host: AppenderHost;
  readonly clock: Clock;
  readonly pace: DiskPace;
  /** Whether records are on the disk itself before they are settled. */
  readonly sync: boolean;
  /** Writes while the event loop waits, null: never. */
  readonly writeNow: WriteNow | null;
  readonly atTurnEnd: (run: () => void) => void;
}

/**
 * Writes the records of one turn of the event loop in one piece, at its end. If the disk is quick, the event loop waits
 * for it, and the records' events end in the same turn. Otherwise one write follows the other while everything else
 * goes on.
 */
export class Appender {
  readonly #options: AppenderOptions;
  #appends: Append[] = [];
  #writing: Promise<void> | null = null;
  #isDue = false;

  constructor(options: AppenderOptions) {
    this.#options = options;
  }

  /** Whether nothing is being written, and nothing is about to be. */
  get isIdle(): boolean {
    return this.#writing === null && !this.#isDue;
  }

  append(bytes: Buffer, onDiskOnly: boolean, settle: Settle): void {
    this.#appends.push({ bytes, onDiskOnly, settle });
    if (this.#isDue || this.#writing !== null) return;
    this.#isDue = true;
    this.#options.atTurnEnd(this.#commit);
  }

  /** Resolves when everything is settled. */
  async settled(): Promise<void> {
    if (this.#isDue) this.#commit();
    await this.#writing;
  }

  readonly #commit = (): void => {
    if (!this.#isDue) return;
    this.#isDue = false;
    const { host, pace, sync, writeNow } = this.#options;
    const segment = pace.blocks && !sync && writeNow !== null ? host.segmentNow() : null;
    if (segment === null || writeNow === null) this.#writing = this.#writeAll();
    else this.#writeNow(segment, writeNow);
  };

  #writeNow(segment: Segment, writeNow: WriteNow): void {
    const { clock, pace, host } = this.#options;
    const batch = this.#take();
    const began = clock.now();
    const start = segment.size;
    const lagging = this.#isOnDiskOnly(batch);
    let offsets: number[] | null = null;
    try {
      offsets = segment.writeNow(bytesOf(batch), writeNow, clock.wall());
    } catch (error) {
      host.failed(error);
    }
    // A disk that takes long to refuse holds up everything as well.
    pace.took(clock.now() - began);
    if (offsets === null) for (const { settle } of batch) settle('unwritable');
    else this.#written(segment, start, batch, offsets, lagging);
  }

  async #writeAll(): Promise<void> {
    const { host, clock, pace, sync } = this.#options;
    while (this.#appends.length > 0) {
      const batch = this.#take();
      try {
        const segment = await host.segment();
        const lagging = this.#isOnDiskOnly(batch);
        const start = segment.size;
        const began = clock.now();
        const offsets = await segment.write(bytesOf(batch), sync, clock.wall());
        pace.took(clock.now() - began);
        this.#written(segment, start, batch, offsets, lagging);
      } catch (error) {
        host.failed(error);
        for (const { settle } of batch) settle('unwritable');
        continue;
      }
      await host.between();
    }
    this.#writing = null;
  }

  #take(): Append[] {
    const batch = this.#appends;
    this.#appends = [];
    return batch;
  }

  #isOnDiskOnly(batch: readonly Append[]): boolean {
    return this.#options.host.isLagging() || batch.some(({ onDiskOnly }) => onDiskOnly);
  }

  #written(
    segment: Segment,
    start: number,
    batch: readonly Append[],
    offsets: readonly number[],
    onDiskOnly: boolean,
  ): void {
    this.#options.host.written(segment, start, batch.length, onDiskOnly);
    for (const [i, { settle }] of batch.entries())
      settle(onDiskOnly ? 'on-disk' : { segment, offset: offsets[i] ?? 0 });
  }
}

const bytesOf = (batch: readonly Append[]): Buffer[] => batch.map(({ bytes }) => bytes);
