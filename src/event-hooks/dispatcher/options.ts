import { systemClock } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import type { GuardOptions } from '../delivery/target-guard.ts';
import { defaultSchedule } from '../delivery/retry.ts';
import { jsonLog } from '../log.ts';
import { storeOf } from '../store/open.ts';
import type { HookLog } from '../log.ts';

/** How a dispatcher works. Everything is optional. */
export interface DispatcherOptions extends GuardOptions {
  /**
   * The store by its name: `memory:`, where everything ends with the process, `sqlite:` and a folder, or the URL of a
   * PostgreSQL database that any number of processes share, `postgres://USER@HOST:PORT/DATABASE`. Default: `dataDir` says
   * it.
   */
  store?: string;
  /** The password of the database's user; wins over the URL's. Default: PGPASSWORD, or the file of PGPASSFILE. */
  storePassword?: string | null;
  /** Folder of the durable store (`event-hooks.db`): the same as `sqlite:` and the folder. Without one, `memory:`. */
  dataDir?: string | null;
  /**
   * `normal` (default): what is acknowledged survives the end of the process, `kill -9` included. `full`: also the loss
   * of power, at the price of a disk flush per transaction.
   */
  synchronous?: 'normal' | 'full';
  /** Seconds between attempts. Default: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h. */
  retrySchedule?: readonly number[];
  /** For one attempt, in milliseconds. Default 15,000. */
  timeoutMs?: number;
  /** A longer response fails the attempt. Default 262,144 bytes. */
  maxResponseBytes?: number;
  /** How much of a response a record keeps. Default 1024 bytes. */
  keepResponseBytes?: number;
  /** Deliveries of one hook on their way at a time, where the hook does not say. Default 16. */
  hookConcurrency?: number;
  /** Deliveries to one target on their way at a time, over all hooks. Default 64. */
  targetConcurrency?: number;
  /** Deliveries per second to one target. Default: no limit. */
  targetRate?: number | null;
  /** Deliveries of one hook in memory. Default 1000; the others stay in the store. */
  queueLength?: number;
  /** Payload characters of one hook in memory. Default 8 Mi. */
  queueSize?: number;
  /** Deliveries that are not finished yet, over all hooks; more events are refused. Default 1,000,000. */
  maxUnfinished?: number;
  /** One event's data. Default 1 MiB. */
  maxEventBytes?: number;
  /** Finished deliveries are kept so long. Default 7 days, in milliseconds. */
  recordAgeMs?: number;
  /** Finished deliveries are kept of so many of the latest events. Default 100,000. */
  recordCount?: number;
  /** Identities remembered for on_change and snooze. Default 100,000. */
  suppressionSize?: number;
  /** Time of one lambda function or template, in milliseconds. Default 1000. */
  lambdaTimeoutMs?: number;
  /** Memory of one hook's Lua machine. Default 16 MiB. */
  lambdaMemoryBytes?: number;
  /** How long the right to deliver lasts without being renewed, in milliseconds. Default 5000. */
  leaseMs?: number;
  clock?: Clock;
  log?: HookLog;
}

export type CompiledDispatcherOptions = Required<Omit<DispatcherOptions, keyof GuardOptions | 'dataDir'>> & {
  guard: GuardOptions;
};

export function compileDispatcherOptions(options: DispatcherOptions): CompiledDispatcherOptions {
  const { allowLoopback, allowPrivate, advice, resolve } = options;
  return {
    store: options.store ?? storeOf(options.dataDir ?? null),
    storePassword: options.storePassword ?? null,
    synchronous: options.synchronous ?? 'normal',
    retrySchedule: options.retrySchedule ?? defaultSchedule,
    timeoutMs: options.timeoutMs ?? 15_000,
    maxResponseBytes: options.maxResponseBytes ?? 262_144,
    keepResponseBytes: options.keepResponseBytes ?? 1024,
    hookConcurrency: options.hookConcurrency ?? 16,
    targetConcurrency: options.targetConcurrency ?? 64,
    targetRate: options.targetRate ?? null,
    queueLength: options.queueLength ?? 1000,
    queueSize: options.queueSize ?? 8 * 1024 * 1024,
    maxUnfinished: options.maxUnfinished ?? 1_000_000,
    maxEventBytes: options.maxEventBytes ?? 1024 * 1024,
    recordAgeMs: options.recordAgeMs ?? 7 * 86_400_000,
    recordCount: options.recordCount ?? 100_000,
    suppressionSize: options.suppressionSize ?? 100_000,
    lambdaTimeoutMs: options.lambdaTimeoutMs ?? 1000,
    lambdaMemoryBytes: options.lambdaMemoryBytes ?? 16 * 1024 * 1024,
    leaseMs: options.leaseMs ?? 5000,
    clock: options.clock ?? systemClock,
    log: options.log ?? jsonLog(),
    guard: {
      allowLoopback: allowLoopback ?? false,
      allowPrivate: allowPrivate ?? false,
      ...(advice === undefined ? {} : { advice }),
      ...(resolve === undefined ? {} : { resolve }),
    },
  };
}
