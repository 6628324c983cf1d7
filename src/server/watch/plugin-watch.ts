import { systemClock } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import type { ServerLog } from '../log/types.ts';
import { FileWatch } from './file-watch.ts';
import { Quiet } from './quiet.ts';
import { ReadFiles } from './read-files.ts';
import type { SeenFile } from '../../base/file-signature.ts';

export interface PluginWatchOptions {
  readonly log: ServerLog;
  /** Files that count although nobody has read them: the plugins' own files, as they were named. Absolute paths. */
  readonly named: readonly string[];
  /** Loads the plugins anew. The files that it reads are told with `read`. Never rejects. */
  readonly reload: (changed: readonly string[]) => Promise<void>;
  readonly clock?: Clock;
}

/** Milliseconds: an editor's steps of one save follow each other closer than `calmMs`. */
const calmMs = 80;
const mostMs = 500;

/**
 * Loads plugins anew when a file changes that they were loaded from: their own, those that they import, and the package.json
 * that says how Node reads them. What else lies in their folders does not count.
 *
 * A notice of the system is only a reason to look. What counts is that a file differs from what was read. So a notice
 * that comes twice, early or for nothing loads nothing, and a change while plugins load is seen after that.
 */
export class PluginWatch {
  readonly #reload: PluginWatchOptions['reload'];
  readonly #files: ReadFiles;
  readonly #watch: FileWatch;
  readonly #quiet: Quiet;
  /** Resolves once what has been read is watched. */
  watching: Promise<void> = Promise.resolve();
  #loading = false;
  #closed = false;

  constructor({ log, named, reload, clock = systemClock }: PluginWatchOptions) {
    this.#reload = reload;
    this.#files = new ReadFiles(named);
    this.#quiet = new Quiet(clock, calmMs, mostMs, () => {
      void this.#look();
    });
    this.#watch = new FileWatch({
      touched: () => {
        this.#quiet.stir();
      },
      polls: (reason, interval) => {
        log.warn('the system tells of no changes of files: plugins are looked at from time to time', {
          reason,
          everyMs: interval,
          fix: 'Raise fs.inotify.max_user_watches and fs.inotify.max_user_instances.',
        });
      },
    });
  }

  /** A worker has read these files. */
  read(files: readonly SeenFile[]): void {
    if (this.#closed || !this.#files.add(files)) return;
    // Whatever happened between the reading and the watching is found by a look.
    this.watching = this.#watch.watch(this.#files.paths).then(() => {
      this.#quiet.stir();
    });
  }

  /** A reload that somebody has asked for reads the files as well. */
  async during<T>(load: () => Promise<T>, succeeded: (result: T) => boolean): Promise<T> {
    this.#loading = true;
    this.#files.begin();
    try {
      const result = await load();
      if (succeeded(result) && this.#files.prune()) this.watching = this.#watch.watch(this.#files.paths);
      return result;
    } finally {
      this.#loading = false;
      this.#quiet.stir();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#quiet.stop();
    await this.#watch.close();
  }

  async #look(): Promise<void> {
    if (this.#loading || this.#closed) return;
    const changed = this.#files.changed();
    if (changed.length > 0) await this.#reload(changed);
  }
}
