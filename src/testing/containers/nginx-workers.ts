import type { StartedTestContainer } from 'testcontainers';
import { getPath, isObject } from '../../kong-end/index.ts';
import { askOnce } from './ask-once.ts';

/** nginx workers by process id. */
export interface SeenWorkers {
  /** Those that `/status` knows. */
  readonly reported: ReadonlySet<number>;
  /** Those in the container's process table that take requests. */
  readonly serving: ReadonlySet<number>;
}

/**
 * Which nginx workers Kong has. After `kong reload` returns, the old ones still answer until nginx has forked new ones and
 * told them to go (nginx, src/os/unix/ngx_process_cycle.c): about a second, more on a busy machine. A configuration that an
 * old one takes over the Admin API in this time is lost, since the new ones come with what the master has read before.
 */
export class NginxWorkers {
  readonly #container: StartedTestContainer;
  readonly #adminUrl: string;

  constructor(container: StartedTestContainer, adminUrl: string) {
    this.#container = container;
    this.#adminUrl = adminUrl;
  }

  async seen(): Promise<SeenWorkers> {
    return { reported: await this.#reported(), serving: await this.#serving() };
  }

  /** Whether a new worker answers, and none of the old ones takes requests. A Kong that does not name its workers has to answer. */
  async areNewerThan(old: SeenWorkers): Promise<boolean> {
    const reported = await this.#reported();
    if (old.reported.size > 0 && [...reported].every((pid) => old.reported.has(pid))) return false;
    return ![...(await this.#serving())].some((pid) => old.serving.has(pid));
  }

  async #reported(): Promise<Set<number>> {
    const { status, text } = await askOnce('GET', `${this.#adminUrl}/status`);
    if (status !== 200) throw new Error(`/status answers ${String(status)}: ${text}`);
    const workers = getPath(JSON.parse(text), 'memory.workers_lua_vms');
    const pids = Array.isArray(workers)
      ? workers.map((worker: unknown) => (isObject(worker) ? worker['pid'] : null))
      : [];
    return new Set(pids.filter((pid) => typeof pid === 'number'));
  }

  async #serving(): Promise<Set<number>> {
    // A worker that goes is called "nginx: worker process is shutting down", from when it has closed its listeners on. The
    // brackets keep this very command from being found.
    const find = `grep -aso 'nginx: worker proces[s][a-z ]*' /proc/[0-9]*/cmdline || true`;
    const { output } = await this.#container.exec(['/bin/sh', '-c', find]);
    const lines = output.matchAll(/^\/proc\/(\d+)\/cmdline:(.*)$/gm);
    return new Set(
      [...lines].filter(([, , title = '']) => !title.includes('shutting')).map(([, pid]) => Number(pid)),
    );
  }
}
