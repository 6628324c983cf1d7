import type { StartedTestContainer } from 'testcontainers';
import { KongTsError } from '../../errors.ts';
import { isHealthy, type ServerStatus } from '../../server/admin/status.ts';
import { paths } from './environment.ts';
import type { LogBook } from './log-book.ts';
import { until } from './until.ts';

/** The plugin server that Kong has started in its container, seen through `kong-ts status`. */
export class InsidePluginServer {
  readonly #container: StartedTestContainer;
  readonly #command: readonly string[];
  readonly #timeout: number;
  readonly #log: LogBook;

  constructor(container: StartedTestContainer, command: readonly string[], timeout: number, log: LogBook) {
    this.#container = container;
    this.#command = command;
    this.#timeout = timeout;
    this.#log = log;
  }

  /** Resolves when a server serves that is not the process given. @throws KongTsError CONTAINER_FAILED */
  async ready(notThis?: number): Promise<ServerStatus> {
    let last = '';
    return until(
      this.#timeout,
      async () => {
        const { stdout, output } = await this.#status();
        last = output;
        const status = JSON.parse(stdout) as ServerStatus;
        return isHealthy(status) && status.pid !== notThis ? status : null;
      },
      () =>
        new KongTsError(
          'CONTAINER_FAILED',
          `The plugin server in Kong's container was not ready after ${String(this.#timeout)} ms: ${last}\n` +
            `The end of the container's log:\n${this.#log.tail(40)}`,
        ),
    );
  }

  /** Ends the process with the signal; resolves when Kong has started another one, which serves. */
  async restart(signal: NodeJS.Signals): Promise<void> {
    const { pid } = await this.ready();
    const kill = `kill -${signal.replace(/^SIG/, '')} ${String(pid)}`;
    const { exitCode, output } = await this.#container.exec(['/bin/sh', '-c', kill]);
    if (exitCode !== 0)
      throw new KongTsError('CONTAINER_FAILED', `"${kill}" failed in Kong's container: ${output.trim()}`);
    await this.ready(pid);
  }

  #status(): Promise<{ stdout: string; output: string }> {
    return this.#container.exec([...this.#command, 'status', '--socket', paths.socket, '--json']);
  }
}
