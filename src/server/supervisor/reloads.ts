import { messageOf } from '../../base/errors.ts';
import type { ReloadResult } from '../admin/status.ts';
import type { LoadReport } from '../ipc/messages.ts';
import type { ServerLog } from '../log/types.ts';
import type { CompiledServerOptions } from '../options.ts';
import { Backoff } from './backoff.ts';
import type { PluginState } from './plugin-state.ts';
import { PluginWatch } from './plugin-watch.ts';
import type { WorkerPool } from './pool.ts';

/** Loads plugins anew: because somebody asks, because a file has changed, because one of them has not loaded. */
export class PluginReloads {
  readonly #pool: WorkerPool;
  readonly #plugins: PluginState;
  readonly #options: CompiledServerOptions;
  readonly #log: ServerLog;
  readonly #whenLoaded: (report: LoadReport) => void;
  readonly #retry = new Backoff({ firstMs: 2000, mostMs: 30_000, healthyAfterMs: Infinity });
  #retryTimer: NodeJS.Timeout | null = null;
  #running: Promise<ReloadResult> | null = null;
  #watch: PluginWatch | null = null;
  #stopped = false;

  constructor(
    pool: WorkerPool,
    plugins: PluginState,
    options: CompiledServerOptions,
    log: ServerLog,
    whenLoaded: (report: LoadReport) => void,
  ) {
    this.#pool = pool;
    this.#plugins = plugins;
    this.#options = options;
    this.#log = log;
    this.#whenLoaded = whenLoaded;
  }

  /** One at a time: whoever asks while one runs gets its result. Rejects when the server is stopping. */
  reload(): Promise<ReloadResult> {
    this.#running ??= this.#reload().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /**
   * Takes what a serving worker has loaded.
   * @returns the plugins whose dump Kong has to read again
   */
  loaded(report: LoadReport): string[] {
    const { changed, newFailures } = this.#plugins.update(report);
    for (const { spec, message } of newFailures) {
      this.#log.error('a plugin does not load', { plugin: spec, reason: message });
    }
    if (report.failures.length === 0) this.#retry.reset();
    else this.#retryLater();
    this.#whenLoaded(report);
    return changed;
  }

  /** Reloads when a file in the folder of a plugin changes. */
  async watch(): Promise<void> {
    // Only to find the files: the plugins themselves are never loaded here.
    const { findPlugin } = await import('../../plugin/loader.ts');
    const files = this.#options.plugins.flatMap((spec) => {
      try {
        return findPlugin(spec, this.#options.cwd);
      } catch (error) {
        this.#log.error('a plugin cannot be watched', { plugin: spec, reason: messageOf(error) });
        return [];
      }
    });
    this.#watch = new PluginWatch(files, this.#log, (file) => {
      this.#log.notice('a file has changed, reloading', { file });
      void this.reload().catch(() => undefined);
    });
  }

  stop(): void {
    this.#stopped = true;
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#watch?.close();
  }

  /** A plugin that does not load is tried again: what it needs may come to be. */
  #retryLater(): void {
    if (this.#retryTimer !== null || this.#stopped) return;
    this.#retryTimer = setTimeout(
      () => {
        this.#retryTimer = null;
        this.#log.debug('trying again to load the plugins');
        void this.reload().catch(() => undefined);
      },
      Math.max(1000, this.#retry.next(0)),
    );
  }

  async #reload(): Promise<ReloadResult> {
    if (this.#stopped) throw new Error('the server is stopping');
    const report = await this.#pool.reload();
    if (report.failures.length > 0) return this.#refused(report);
    const changed = this.loaded(report);
    if (changed.length > 0) {
      this.#log.warn('the schema, phases, priority or version of a plugin has changed: run "kong reload"', {
        plugins: changed,
      });
    }
    const plugins = report.plugins.map(({ name }) => name);
    this.#log.notice('plugins reloaded', { plugins });
    return { reloaded: true, failures: [], plugins, needKongReload: changed };
  }

  #refused({ failures }: LoadReport): ReloadResult {
    const known = this.#plugins.failures;
    for (const { spec, message } of failures) {
      if (known.some((failure) => failure.spec === spec && failure.message === message)) continue;
      this.#log.error('the new plugin code does not load, the old one goes on', {
        plugin: spec,
        reason: message,
      });
    }
    if (known.length > 0) this.#retryLater();
    return { reloaded: false, failures, plugins: [], needKongReload: [] };
  }
}
