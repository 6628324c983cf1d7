import { KongTsError } from '../../base/errors.ts';
import type { LoadReport } from '../ipc/messages.ts';

/** How long the first worker may take to load its plugins, in milliseconds. */
const loadLimitMs = 60_000;
/** After so many workers that ended before their plugins were loaded, nothing loads any more. */
const mostDeaths = 3;
const intervalMs = 20;

/** Whether the first worker has loaded its plugins. Before that, a server that works is not taken over. */
export class FirstLoad {
  #report: LoadReport | null = null;
  #deaths = 0;

  loaded(report: LoadReport): void {
    this.#report ??= report;
  }

  workerEnded(): void {
    this.#deaths++;
  }

  /**
   * Resolves when the plugins are loaded, or when the wait is given up.
   * @throws KongTsError PLUGIN_LOAD_FAILED when nothing loads
   */
  async wait(isWaiting: () => boolean): Promise<void> {
    const end = Date.now() + loadLimitMs;
    while (isWaiting() && this.#report === null) {
      if (this.#deaths >= mostDeaths) throw nothing('the workers end before their plugins are loaded');
      if (Date.now() > end) throw nothing(`nothing is loaded after ${String(loadLimitMs / 1000)} s`);
      await new Promise((resolve) => setTimeout(resolve, intervalMs));
    }
    if (isWaiting() && this.#report !== null) mustServe(this.#report);
  }
}

/** @throws KongTsError PLUGIN_LOAD_FAILED when no plugin has been loaded */
export function mustServe({ plugins, failures }: LoadReport): void {
  if (plugins.length > 0) return;
  throw nothing(failures.map(({ spec, message }) => `${spec}: ${message}`).join('; '));
}

function nothing(why: string): KongTsError {
  return new KongTsError(
    'PLUGIN_LOAD_FAILED',
    `No plugin loads, and another server serves on the socket: it is not taken over. ${why}.`,
    { fix: 'Mend the plugin, then start this server again; the other one goes on.' },
  );
}
