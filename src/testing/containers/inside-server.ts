import type { StartedTestContainer } from 'testcontainers';
import { KongTsError } from '../../base/errors.ts';
import type { ServerStatus } from '../../server/admin/index.ts';
import type { LogBook } from './log-book.ts';
import { isReady } from './ready.ts';
import { until } from './until.ts';

export interface InsideOptions {
  /** What runs kong-ts in the container. */
  readonly command: readonly string[];
  /** One of each server. */
  readonly sockets: readonly string[];
  /** Whether they run the event hook dispatcher. */
  readonly eventHooks: boolean;
  /** How long one may take to get ready, in milliseconds. */
  readonly timeoutMs: number;
  readonly log: LogBook;
}

/** Process ids by socket. */
export type Processes = ReadonlyMap<string, number>;

/** The plugin servers that Kong has started in its container (one as a rule), seen through `kong-ts status`. */
export class InsidePluginServers {
  readonly #container: StartedTestContainer;
  readonly #options: InsideOptions;

  constructor(container: StartedTestContainer, options: InsideOptions) {
    this.#container = container;
    this.#options = options;
  }

  /** Resolves when all of them serve and none is a process of those given. @throws KongTsError CONTAINER_FAILED */
  async ready(notThese: Processes = new Map()): Promise<Processes> {
    const { sockets } = this.#options;
    return new Map(
      await Promise.all(
        sockets.map(
          async (socket) => [socket, await this.#pidOf(socket, notThese.get(socket))] as [string, number],
        ),
      ),
    );
  }

  /** Ends the processes with the signal; resolves when Kong has started others, which serve. */
  async restart(signal: NodeJS.Signals): Promise<void> {
    const before = await this.ready();
    const kill = `kill -${signal.replace(/^SIG/, '')} ${[...before.values()].join(' ')}`;
    const { exitCode, output } = await this.#container.exec(['/bin/sh', '-c', kill]);
    if (exitCode !== 0)
      throw new KongTsError('CONTAINER_FAILED', `"${kill}" failed in Kong's container: ${output.trim()}`);
    await this.ready(before);
  }

  #pidOf(socket: string, notThis?: number): Promise<number> {
    const { timeoutMs, log, command, eventHooks } = this.#options;
    let last = '';
    return until(
      timeoutMs,
      async () => {
        const { stdout, output } = await this.#container.exec([
          ...command,
          'status',
          '--socket',
          socket,
          '--json',
        ]);
        last = output;
        const status = JSON.parse(stdout) as ServerStatus;
        return isReady(status, eventHooks) && status.pid !== notThis ? status.pid : null;
      },
      () =>
        new KongTsError(
          'CONTAINER_FAILED',
          `The plugin server in Kong's container (${socket}) was not ready after ${String(timeoutMs)} ms: ${last}\n` +
            `The end of the container's log:\n${log.tail(40)}`,
        ),
    );
  }
}
