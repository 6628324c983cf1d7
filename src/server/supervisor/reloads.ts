import { relative, resolve } from 'node:path';
import type { ReloadResult } from '../admin/status.ts';
import type { LoadFailure, LoadReport } from '../ipc/messages.ts';
import type { ServerLog } from '../log/types.ts';
import type { CompiledServerOptions } from '../options.ts';
import { Backoff } from './backoff.ts';
import type { PluginState } from './plugin-state.ts';
import type { SeenFile } from '../../base/file-signature.ts';
import { PluginWatch } from '../watch/plugin-watch.ts';
import type { WorkerPool } from './pool.ts';

/** Loads plugins anew: when a command asks for it, when a file has changed, or when one of them has not loaded. */
export class PluginReloads {
  readonly #pool: WorkerPool;
  readonly #plugins: PluginState;
  readonly #options: CompiledServerOptions;
  readonly #log: ServerLog;
  readonly #whenLoaded: (report: LoadReport) => void;
  readonly #retry = new Backoff({ firstMs: 2000, mostMs: 30_000, healthyAfterMs: Infinity });
  #retryTimer: NodeJS.Timeout | null = null;
  #running: Promise<ReloadResult> | null = null;
  readonly #watch: PluginWatch | null;
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
    this.#watch = options.watch ? this.#createWatch() : null;
  }

  /** One reload runs at a time. A call while one runs gets its result. Rejects when the server is stopping. */
  reload(): Promise<ReloadResult> {
    const load = () => this.#reload();
    this.#running ??= (
      this.#watch === null ? load() : this.#watch.during(load, ({ reloaded }) => reloaded)
    ).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /**
   * Notes the plugins that a serving worker has loaded.
   * @returns the plugins whose dump Kong has to read again
   */
  loaded(report: LoadReport): string[] {
    const { changed, newFailures } = this.#plugins.update(report);
    for (const failure of newFailures) this.#log.error('a plugin does not load', fieldsOf(failure));
    if (report.failures.length === 0) this.#retry.reset();
    else this.#retryLater();
    this.#whenLoaded(report);
    return changed;
  }

  /** A worker has loaded plugins from these files. */
  read(files: readonly SeenFile[]): void {
    this.#watch?.read(files);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    void this.#watch?.close();
  }

  #createWatch(): PluginWatch {
    const { plugins, cwd } = this.#options;
    return new PluginWatch({
      log: this.#log,
      // The path itself is watched for a plugin that is not there yet, and for a link that will lead elsewhere.
      named: plugins.filter(isPath).map((spec) => resolve(cwd, spec)),
      reload: async (changed) => {
        const files = changed.slice(0, 5).map((file) => relative(cwd, file));
        const more = changed.length > files.length ? { andMore: changed.length - files.length } : {};
        this.#log.notice('files have changed, reloading', { files, ...more });
        await this.reload().catch(() => undefined);
      },
    });
  }

  /** A plugin that does not load is tried again, because what it needs may come. */
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
    for (const failure of failures) {
      const { spec, message } = failure;
      if (known.some((each) => each.spec === spec && each.message === message)) continue;
      this.#log.error('the new plugin code does not load, the old one goes on', fieldsOf(failure));
    }
    if (known.length > 0) this.#retryLater();
    return { reloaded: false, failures, plugins: [], needKongReload: [] };
  }
}

/** A plugin by the path of its file, and not by a name. */
function isPath(spec: string): boolean {
  return /[\\/]|\.[cm]?[jt]s$/.test(spec);
}

function fieldsOf({ spec, message, stack }: LoadFailure): Record<string, unknown> {
  return { plugin: spec, reason: message, ...(stack === undefined ? {} : { stack }) };
}
