import type { PluginLog, PluginMetrics } from 'kong-ts';
import type { Settings } from './config/settings.ts';
import { createRecorder, type Recorder } from './metrics.ts';
import { type Clock, systemClock } from './queue/clock.ts';
import { Queue } from './queue/queue.ts';
import { Reports } from './reports.ts';
import { Sender } from './sender/sender.ts';
import { openSpool, type Spool, type SpoolToken } from './spool/spool.ts';

export interface DestinationOptions {
  readonly settings: Settings;
  readonly log: PluginLog;
  readonly metrics: PluginMetrics;
  /** Where records are kept until they are delivered, null to keep them in memory only. */
  readonly spoolDir: string | null;
  readonly clock?: Clock;
}

/** One configuration's way out: queue, sender and, with a data directory, the spool. */
export class Destination {
  readonly recorder: Recorder;
  private readonly queue: Queue<SpoolToken | null>;
  private readonly sender: Sender;
  private readonly reports: Reports;
  private spool: Spool | null = null;
  private announced = 0;
  private announcedBytes = 0;
  private readonly settings: Settings;
  private readonly clock: Clock;

  private constructor(options: DestinationOptions) {
    const { settings, log, metrics } = options;
    this.settings = settings;
    this.clock = options.clock ?? systemClock;
    this.recorder = createRecorder(
      metrics,
      () => this.length,
      () => this.queue.bytes,
    );
    this.reports = new Reports(log, this.clock, settings.reportInterval);
    this.sender = new Sender(settings.sender, this.clock, this.recorder);
    const keeps = options.spoolDir !== null && settings.spool.keep_undelivered;
    const queueSettings = keeps ? { ...settings.queue, maxRetryTime: Infinity } : settings.queue;
    this.queue = new Queue<SpoolToken | null>(queueSettings, this.clock, {
      deliver: (batch) => this.sender.send(batch.map(({ bytes }) => bytes)),
      delivered: (batch) => {
        this.recorder.sent(batch.length);
        for (const { token } of batch) if (token !== null) this.spool?.done(token);
      },
      dropped: (entries, reason, detail) => {
        this.recorder.dropped(entries.length, reason);
        for (const { token } of entries) if (token !== null) this.spool?.done(token);
        this.reports.write('error', reason, `${detail}; records were lost`, entries.length);
      },
      retrying: (batch, reason, delay) => {
        this.recorder.retried(batch.length);
        this.reports.write(
          'warn',
          'retry',
          `${reason}; trying again in ${Math.round(delay)} ms`,
          batch.length,
        );
      },
      drained: () => this.spool?.load(),
    });
  }

  static async open(options: DestinationOptions): Promise<Destination> {
    const destination = new Destination(options);
    const { spoolDir, settings } = options;
    if (spoolDir === null) return destination;
    destination.spool = await openSpool({
      directory: spoolDir,
      clock: destination.clock,
      fsync: settings.spool.fsync,
      maxBytes: settings.spool.max_bytes,
      hasRoom: (size) => destination.hasRoom(size),
      loaded: (bytes, token) => destination.queue.push({ bytes, token }),
      recovered: (records) => destination.recorder.recovered(records),
      overflowed: (records) => {
        destination.recorder.dropped(records, 'queue_full');
        destination.reports.write(
          'error',
          'spool',
          'spool full (spool.max_bytes), dropping old records',
          records,
        );
      },
      failed: (problem) => destination.reports.write('error', 'spool-io', problem),
    });
    return destination;
  }

  /** Records that wait, are under way, or are on disk only. */
  get length(): number {
    return this.queue.length + this.queue.sending + (this.spool?.backlog ?? 0);
  }

  private hasRoom(size: number): boolean {
    return !this.queue.isFull(size, this.announced, this.announcedBytes);
  }

  /** Records that are being written now and come into the queue after that. */
  private announce(records: number, bytes: number): void {
    this.announced += records;
    this.announcedBytes += bytes;
  }

  /** Takes a record. Resolves when it is on disk (with a spool) or at once. */
  async accept(bytes: Buffer): Promise<void> {
    if (this.spool === null) {
      this.queue.push({ bytes, token: null });
      return;
    }
    const keepOnDisk = this.settings.spool.overflow === 'spool' && !this.hasRoom(bytes.length);
    if (!keepOnDisk) this.announce(1, bytes.length);
    const token = await this.spool.append(bytes, keepOnDisk);
    if (!keepOnDisk) this.announce(-1, -bytes.length);
    if (token === 'unwritable') this.queue.push({ bytes, token: null });
    else {
      this.recorder.spooled(1);
      if (token !== 'on-disk') this.queue.push({ bytes, token });
    }
  }

  /** Sends for up to `shutdown_grace`, then keeps what is left in the spool, or counts it as lost without one. */
  async close(): Promise<void> {
    await this.queue.flush(this.settings.shutdownGrace);
    const left = await this.queue.stop(() => this.sender.close());
    const lost = left.filter(({ token }) => token === null);
    if (lost.length > 0) {
      this.recorder.dropped(lost.length, 'shutdown');
      this.reports.write(
        'error',
        'shutdown',
        'stopped before everything was sent; records were lost',
        lost.length,
      );
    }
    await this.spool?.close();
  }
}
