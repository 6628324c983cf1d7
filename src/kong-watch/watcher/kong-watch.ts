import { join } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import { KongAdmin } from '../../kong-admin/index.ts';
import type { WatchedEvent, WatchInterest, WatchPort } from '../port.ts';
import { BalancerWatcher } from './balancer-watcher.ts';
import { CrudWatcher } from './crud-watcher.ts';
import { setsHealth } from './kinds.ts';
import { WatchMetrics } from './metrics.ts';
import { MemorySnapshots } from './snapshot/memory.ts';
import type { SnapshotStore } from './snapshot/types.ts';

/** Which Kong is watched, and how. */
export interface KongWatchOptions {
  /** Kong's Admin API. */
  readonly url: string;
  /** Sent to it as `Kong-Admin-Token`; null: none. */
  readonly token: string | null;
  /** Milliseconds between two polls of a kind. Default 5000. */
  readonly intervalMs?: number;
  /** Milliseconds for single kinds, by the name of their schema (`keyauth_credentials`), and of `balancer`. */
  readonly intervals?: Readonly<Record<string, number>>;
  /** Puts keys, passwords and other secrets of entities into payloads. Default false. */
  readonly secrets?: boolean;
}

/** The file with what was seen last, below the data directory. */
export const snapshotFile = 'kong-snapshot.db';
/** How often it is checked whether this process may watch. */
const checkEveryMs = 200;

interface Watchers {
  readonly snapshots: SnapshotStore;
  readonly crud: CrudWatcher;
  readonly balancer: BalancerWatcher;
  readonly abort: AbortController;
}

/**
 * Watches a Kong: `crud`, `dao:crud` and `balancer` events go to whoever takes them, and count as seen once they are
 * stored there. Of several processes with one store, the active one watches.
 */
export class KongWatch {
  readonly #port: WatchPort;
  readonly #options: KongWatchOptions;
  readonly #metrics: WatchMetrics;
  /** What is shown of the Admin API's URL. */
  readonly #url: string;
  #interest: WatchInterest = { wants: () => false, listens: () => false };
  #unwatch: () => void = () => undefined;
  #watchers: Watchers | null = null;
  #changing: Promise<void> = Promise.resolve();
  #timer: unknown = null;
  #closed = false;

  /** @throws KongTsError USAGE when the URL is none */
  constructor(port: WatchPort, options: KongWatchOptions) {
    this.#port = port;
    this.#options = options;
    this.#url = this.#connect().url;
    this.#metrics = new WatchMetrics(port.registry);
  }

  start(): void {
    this.#unwatch = this.#port.onInterest((interest) => {
      this.#interest = interest;
      // The request that makes a hook waits for this. The hook gets every change from the answer on.
      return this.#watchers === null
        ? undefined
        : Promise.all([this.#watchers.crud.lookNow(), this.#watchers.balancer.lookNow()]).then(
            () => undefined,
          );
    });
    this.#check();
  }

  /** A write has gone through to Kong: the kinds that its path is about are polled now. */
  lookNow(method: string, path: string): void {
    void this.#watchers?.crud.lookNow({ method, path });
    if (setsHealth(path)) void this.#watchers?.balancer.lookNow();
  }

  /** Whether a path's first segment is one of Kong's own collections, and so no workspace. */
  readonly isCollection = (segment: string): boolean => this.#watchers?.crud.isCollection(segment) ?? false;

  /** Whether this process watches, and which Kong: its URL without a login. */
  status(): { watching: boolean; kong: string } {
    return { watching: this.#watchers !== null, kong: this.#url };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    this.#port.clock.clearTimeout(this.#timer);
    await this.#changing;
    await this.#end();
  }

  #check(): void {
    const { clock, log } = this.#port;
    if (this.#port.isActive() !== (this.#watchers !== null)) {
      this.#changing = this.#change().catch((error: unknown) => {
        log.error('Kong is not watched', { kong: this.#url, error: messageOf(error) });
      });
    }
    void this.#changing.then(() => {
      if (!this.#closed) this.#timer = clock.setTimeout(() => this.#check(), checkEveryMs);
    });
  }

  async #change(): Promise<void> {
    if (!this.#port.isActive()) return this.#end();
    const snapshots = await this.#openSnapshots();
    const abort = new AbortController();
    const { clock, log } = this.#port;
    const { intervalMs, intervals: all = {}, secrets } = this.#options;
    const { balancer: balancerMs, ...intervals } = all;
    const common = {
      snapshots,
      wants: (source: string, event: string) => this.#interest.wants(source, event),
      emit: (events: WatchedEvent[]) => this.#emit(events),
      // A process that was stopped for longer than its lease must not report what it read before.
      mayReport: () => this.#port.isActive(),
      clock,
      log,
      metrics: this.#metrics,
      ...(intervalMs === undefined ? {} : { intervalMs }),
    };
    // Each has a client of its own, which counts what it asks.
    const crud = new CrudWatcher({
      ...common,
      admin: this.#connect(abort.signal),
      listens: (source) => this.#interest.listens(source),
      publish: (declaration) => {
        this.#port.publish(declaration);
      },
      intervals,
      ...(secrets === undefined ? {} : { secrets }),
    });
    const balancer = new BalancerWatcher({
      ...common,
      admin: this.#connect(abort.signal),
      ...(balancerMs === undefined ? {} : { intervalMs: balancerMs }),
    });
    this.#watchers = { snapshots, crud, balancer, abort };
    crud.start();
    balancer.start();
  }

  async #end(): Promise<void> {
    const watchers = this.#watchers;
    this.#watchers = null;
    if (watchers === null) return;
    const closed = Promise.all([watchers.crud.close(), watchers.balancer.close()]);
    watchers.abort.abort();
    await closed;
    await watchers.snapshots.close();
  }

  #connect(signal?: AbortSignal): KongAdmin {
    const { url, token } = this.#options;
    return new KongAdmin({
      url,
      ...(token === null ? {} : { token }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async #openSnapshots(): Promise<SnapshotStore> {
    const { dataDir, log } = this.#port;
    if (dataDir === null) return new MemorySnapshots();
    const { SqliteSnapshots } = await import('./snapshot/sqlite.ts');
    try {
      return new SqliteSnapshots(join(dataDir, snapshotFile));
    } catch (error) {
      log.error('what changes in Kong while this process is away will not be noticed', {
        error: messageOf(error),
      });
      return new MemorySnapshots();
    }
  }

  async #emit(events: WatchedEvent[]): Promise<void> {
    const { refused } = await this.#port.accept(events);
    for (const { index, reason } of refused) {
      const { source, event } = events[index] ?? {};
      this.#port.log.error('a change in Kong is not an event', { source, event, reason });
    }
  }
}
