import type { PluginLog, PluginMetrics } from 'kong-ts';
import type { Settings } from './config/settings.ts';
import type { Recorder } from './metrics.ts';
import { createRecorder } from './metrics.ts';
import type { Clock } from './queue/clock.ts';
import { systemClock } from './queue/clock.ts';
import type { Entry } from './queue/queue.ts';
import { Queue } from './queue/queue.ts';
import { TurnEnd } from './queue/turn-end.ts';
import { Reports } from './reports.ts';
import { Sender } from './sender/sender.ts';
import type { OpenFile } from './spool/plain-file.ts';
import type { SpoolToken } from './spool/options.ts';
import type { Spool } from './spool/spool.ts';
import { openSpool } from './spool/spool.ts';

/**
 * How many bytes of records wait in memory although they are on disk. The others are read back when their turn comes.
 */
const memoryWindow = 8 * 1024 * 1024;
/** When a spool that could not be opened is tried again, in milliseconds. */
const reopenAfterMs = 30_000;

export interface DestinationOptions {
  readonly settings: Settings;
  readonly log: PluginLog;
  readonly metrics: PluginMetrics;
  /** Where records are kept until they are delivered, null to keep them in memory only. */
  readonly spoolDir: string | null;
  readonly clock?: Clock;
  /** Opens the spool's files; tests put a disk that is full in its place. */
  readonly openFile?: OpenFile;
}

/** One configuration's way out: queue, sender and, with a data directory, the spool. */
export class Destination {
  readonly recorder: Recorder;
  readonly #queue: Queue<SpoolToken | null>;
  readonly #sender: Sender;
  readonly #turnEnd = new TurnEnd();
  readonly #reports: Reports;
  #spool: Spool | null = null;
  #announced = 0;
  #announcedBytes = 0;
  #closed = false;
  #cancelReopening: (() => void) | null = null;
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #openFile: OpenFile | undefined;

  private constructor(options: DestinationOptions) {
    const { settings, log, metrics } = options;
    this.#settings = settings;
    this.#clock = options.clock ?? systemClock;
    this.#openFile = options.openFile;
    this.recorder = createRecorder(metrics, {
      queueLength: () => this.length,
      queueBytes: () => this.#queue.bytes,
      spoolBytes: () => this.#spool?.bytes ?? 0,
    });
    this.#reports = new Reports(log, this.#clock, settings.reportIntervalMs);
    this.#sender = new Sender(settings.sender, this.#clock, this.recorder, this.#turnEnd.add);
    const keeps = options.spoolDir !== null && settings.spool.keep_undelivered;
    const queueSettings = {
      ...settings.queue,
      keepUndelivered: keeps,
      // A window that is full has to be sent, whatever the batch size: nothing more comes in.
      ...(options.spoolDir === null ? {} : { fullBatchBytes: memoryWindow / 2 }),
    };
    this.#queue = new Queue<SpoolToken | null>(queueSettings, this.#clock, {
      deliver: (batch, settle) =>
        this.#sender.send(
          batch.map(({ bytes }) => bytes),
          settle,
        ),
      delivered: (batch) => {
        this.recorder.sent(batch.length);
        this.#forget(batch);
      },
      dropped: (entries, reason, detail) => {
        this.recorder.dropped(entries.length, reason);
        this.#forget(entries);
        this.#reports.write('error', reason, `${detail}; records were lost`, entries.length);
      },
      retrying: (batch, reason, delay) => {
        this.recorder.retried(batch.length);
        this.#reports.write(
          'warn',
          'retry',
          `${reason}; trying again in ${Math.round(delay)} ms`,
          batch.length,
        );
      },
      expired: ({ token }) => token !== null && this.#spool?.isExpired(token) === true,
      filling: () => this.#reports.write('warn', 'filling', 'queue at 80% capacity'),
      drained: () => this.#spool?.load(),
    });
  }

  static async open(options: DestinationOptions): Promise<Destination> {
    const destination = new Destination(options);
    if (options.spoolDir !== null) await destination.#openSpool(options.spoolDir);
    return destination;
  }

  /** The spool need not keep them any more. */
  #forget(entries: readonly Entry<SpoolToken | null>[]): void {
    const spool = this.#spool;
    if (spool === null) return;
    spool.done(entries.map(({ token }) => token).filter((token) => token !== null));
  }

  /** Opens the spool; while that fails, records are kept in memory, and it is tried again. */
  async #openSpool(directory: string): Promise<void> {
    try {
      this.#spool = await this.#makeSpool(directory);
      this.#cancelReopening = null;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#reports.write(
        'error',
        'spool-open',
        `the spool cannot be opened: ${reason}; until it can, records are kept in memory only`,
      );
      if (this.#closed) return;
      this.#cancelReopening = this.#clock.after(reopenAfterMs, () => void this.#openSpool(directory));
    }
  }

  async #makeSpool(directory: string): Promise<Spool> {
    const settings = this.#settings;
    const spool = await openSpool({
      directory,
      clock: this.#clock,
      fsync: settings.spool.fsync,
      maxBytes: settings.spool.max_bytes,
      maxAgeMs: settings.spool.max_age * 1000,
      atTurnEnd: this.#turnEnd.add,
      ...(this.#openFile === undefined ? {} : { openFile: this.#openFile }),
      hasRoom: (size) => this.#hasRoom(size),
      wantsMore: () => this.#wantsMore(),
      loaded: (bytes, token) => this.#queue.push({ bytes, token }),
      recovered: (records) => this.recorder.recovered(records),
      lost: (records, reason, detail) => {
        this.recorder.dropped(records, reason);
        this.#reports.write('error', `spool-${reason}`, `${detail}; records were lost`, records);
      },
      aging: () => this.#queue.expire(),
      failed: (problem) => this.#reports.write('error', 'spool-io', problem),
    });
    if (this.#closed) await spool.close();
    return spool;
  }

  /** Records that wait, are under way, or are on disk only. */
  get length(): number {
    return this.#queue.length + this.#queue.sending + (this.#spool?.backlog ?? 0);
  }

  /**
   * Whether one more record goes into memory. The queue has to take it, and records on disk may fill only the window.
   */
  #hasRoom(size: number): boolean {
    const announced = this.#announced;
    const announcedBytes = this.#announcedBytes;
    const queue = this.#queue;
    if (queue.isFull(size, announced, announcedBytes)) return false;
    return queue.length === 0 || queue.bytes + announcedBytes + size <= memoryWindow;
  }

  #wantsMore(): boolean {
    const { maxEntries, maxBytes } = this.#settings.queue;
    return (
      this.#queue.length + this.#announced <= maxEntries / 2 &&
      this.#queue.bytes + this.#announcedBytes <= Math.min(memoryWindow, maxBytes) / 2
    );
  }

  /** Records that are being written now and come into the queue after that. */
  #announce(records: number, bytes: number): void {
    this.#announced += records;
    this.#announcedBytes += bytes;
  }

  /** Takes a record. Null if it is in memory, and that is enough. Otherwise it resolves when the record is on disk. */
  accept(bytes: Buffer): Promise<void> | null {
    const spool = this.#spool;
    if (spool === null) {
      this.#queue.push({ bytes, token: null });
      return null;
    }
    const keepOnDisk = this.#settings.spool.overflow === 'spool' && !this.#hasRoom(bytes.length);
    if (!keepOnDisk) this.#announce(1, bytes.length);
    return new Promise((resolve) => {
      spool.put(bytes, keepOnDisk, (written) => {
        if (!keepOnDisk) this.#announce(-1, -bytes.length);
        this.#written(bytes, written);
        resolve();
      });
    });
  }

  #written(bytes: Buffer, written: SpoolToken | 'on-disk' | 'unwritable'): void {
    if (written === 'unwritable') {
      this.recorder.unspooled(1);
      this.#queue.push({ bytes, token: null });
      return;
    }
    this.recorder.spooled(1);
    if (written !== 'on-disk') this.#queue.push({ bytes, token: written });
  }

  /** Sends for up to `shutdown_grace`, then keeps what is left in the spool, or counts it as lost without one. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelReopening?.();
    await this.#queue.flush(this.#settings.shutdownGraceMs);
    const left = await this.#queue.stop(() => this.#sender.close());
    const lost = await this.#keepAfterAll(left.filter(({ token }) => token === null));
    if (lost > 0) {
      this.recorder.dropped(lost, 'shutdown');
      this.#reports.write('error', 'shutdown', 'stopped before everything was sent; records were lost', lost);
    }
    await this.#spool?.close();
  }

  /** Writes what the disk has refused before, in case that it has room again. Returns how many records are lost. */
  async #keepAfterAll(entries: readonly Entry<SpoolToken | null>[]): Promise<number> {
    const spool = this.#spool;
    if (spool === null) return entries.length;
    const kept = await Promise.all(entries.map(({ bytes }) => spool.append(bytes, true)));
    const lost = kept.filter((token) => token === 'unwritable').length;
    this.recorder.spooled(kept.length - lost);
    return lost;
  }
}
