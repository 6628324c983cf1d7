import { existsSync } from 'node:fs';
import path from 'node:path';
import type { FSWatcher } from 'chokidar';
import { messageOf } from '../../base/errors.ts';

export interface FileWatchEvents {
  /** Something may have happened to one of the files. */
  touched(): void;
  /** The system gives no notices: from here on the files are looked at every `intervalMs`. */
  polls(reason: string, intervalMs: number): void;
}

/** The time between two looks if the system gives no notices, in milliseconds. */
const pollIntervalMs = 300;

/**
 * Notices about a set of files, whatever way they are saved. Their folders are watched: a watch of a file follows the inode,
 * and is blind once the file has been replaced. Everything else in the folders is ignored.
 */
export class FileWatch {
  readonly #events: FileWatchEvents;
  #watcher: FSWatcher | null = null;
  #files: readonly string[] = [];
  #polling = false;
  #closed = false;
  /** One change of the watch at a time. */
  #changing: Promise<void> = Promise.resolve();

  constructor(events: FileWatchEvents) {
    this.#events = events;
  }

  /**
   * Watches these files and no others. They need not exist.
   * @param files absolute paths
   * @returns resolves once they are watched
   */
  watch(files: readonly string[]): Promise<void> {
    this.#files = files;
    return this.#change(files);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#changing;
    await this.#watcher?.close();
  }

  #change(files: readonly string[]): Promise<void> {
    this.#changing = this.#changing.then(async () => {
      if (this.#closed || files !== this.#files) return;
      const before = this.#watcher;
      this.#watcher = await this.#open(files);
      await before?.close();
    });
    return this.#changing;
  }

  async #open(files: readonly string[]): Promise<FSWatcher> {
    const { watch } = await import('chokidar');
    const folders = new Set(files.flatMap(foldersOf));
    const top = topmost(folders);
    const wanted = new Set([...files, ...folders, ...[...folders].flatMap((folder) => wayTo(folder, top))]);
    const watcher = watch(top, {
      ignored: (file) => !wanted.has(path.resolve(file)),
      ignoreInitial: true,
      // The listener waits for quiet, and looks at the files itself.
      atomic: false,
      ...(this.#polling ? { usePolling: true, interval: pollIntervalMs } : {}),
    });
    watcher.on('all', () => {
      this.#events.touched();
    });
    await new Promise<void>((resolve) => {
      watcher.on('ready', resolve);
      watcher.on('error', (error) => {
        this.#poll(error);
        resolve();
      });
    });
    return watcher;
  }

  /** Most often the system has no watches left for this user. */
  #poll(error: unknown): void {
    if (this.#polling || this.#closed) return;
    this.#polling = true;
    this.#events.polls(messageOf(error), pollIntervalMs);
    void this.#change(this.#files).then(() => {
      this.#events.touched();
    });
  }
}

/** The folder of a file, and those above it up to its package's: a checkout may take them away and bring them back. */
function foldersOf(file: string): string[] {
  const folders: string[] = [];
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    folders.push(folder);
    if (existsSync(path.join(folder, 'package.json'))) return folders;
    if (folder === path.dirname(folder)) return folders.slice(0, 1);
  }
}

/** Those that lie in no other one. */
function topmost(folders: ReadonlySet<string>): string[] {
  const all = [...folders];
  return all.filter((folder) => !all.some((other) => other !== folder && isInside(other, folder)));
}

/** The folders that lead down to this one: a package may lie within another one. */
function wayTo(folder: string, top: readonly string[]): string[] {
  const way: string[] = [];
  for (let each = folder; !top.includes(each); each = path.dirname(each)) way.push(each);
  return way;
}

function isInside(folder: string, file: string): boolean {
  return file.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);
}
