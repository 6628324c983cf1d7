import type { FSWatcher } from 'node:fs';
import { watch } from 'node:fs';
import { dirname, sep } from 'node:path';
import type { ServerLog } from '../log/types.ts';

/** Time without a further change before a reload, in milliseconds: editors write files in several steps. */
const quietMs = 200;

/** `ignore` keeps Node from walking node_modules, which it does at once and file by file; an older Node overlooks it. */
const options = { recursive: true, ignore: ignored };

/** Calls `changed` when a file changes in the folder of a plugin; node_modules and hidden folders do not count. */
export class PluginWatch {
  readonly #watchers: FSWatcher[];
  #timer: NodeJS.Timeout | null = null;

  constructor(files: readonly string[], log: ServerLog, changed: (file: string) => void) {
    const folders = new Set(files.map((file) => dirname(file)));
    this.#watchers = [...folders].map((folder) => {
      const watcher = watch(folder, options, (_, name) => {
        if (name === null || ignored(name)) return;
        if (this.#timer !== null) clearTimeout(this.#timer);
        this.#timer = setTimeout(() => {
          changed(name);
        }, quietMs);
      });
      watcher.on('error', (error) => {
        log.error('a plugin folder can no longer be watched', { folder, reason: error.message });
      });
      return watcher;
    });
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }
}

function ignored(name: string): boolean {
  return name.split(sep).some((part) => part === 'node_modules' || part.startsWith('.'));
}
