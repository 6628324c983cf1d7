import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { socketArguments } from '../../kong-setup/index.ts';
import type { ServerStatus } from '../../server/admin/index.ts';
import { askServer } from '../../server/admin/index.ts';
import { serveOptions } from './environment.ts';
import { LogBook } from './log-book.ts';
import type { KongContainerOptions } from './options.ts';
import type { LocatedPlugin } from './plugins.ts';
import { hostCommand } from './plugins.ts';
import { isReady } from './ready.ts';
import { until } from './until.ts';

/** How much of what the server prints is kept, in characters. */
const outputLimit = 64 * 1024;
/** How long the server may take to stop, in milliseconds. */
const stopLimitMs = 15_000;

/** `kong-ts serve` on this machine, with its socket and the plugins' dumps in a folder that Kong's container mounts. */
export class HostPluginServer {
  /** The end of what the server has printed, every life of it. */
  readonly log = new LogBook(outputLimit);
  /** The folder to mount. */
  readonly folder: string;
  readonly #options: KongContainerOptions;
  readonly #plugins: readonly LocatedPlugin[];
  readonly #data: string;
  readonly #timeout: number;
  readonly #variables: Readonly<Record<string, string>>;
  #process: ChildProcess | null = null;
  /** Where the Admin API of event hooks listens: a free port at first, the same one in every later life. */
  #hooksAdmin = '127.0.0.1:0';

  /** @param variables for the server, on top of this process's own environment */
  constructor(
    options: KongContainerOptions,
    plugins: readonly LocatedPlugin[],
    timeout: number,
    variables: Readonly<Record<string, string>> = {},
  ) {
    this.#variables = variables;
    this.folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-host-'));
    this.#data = mkdtempSync(path.join(tmpdir(), 'kong-ts-data-'));
    this.#timeout = timeout;
    this.#options = options;
    this.#plugins = plugins;
    // Kong's user is another one than ours.
    chmodSync(this.folder, 0o755);
    for (const { name, dump } of plugins) {
      const file = path.join(this.folder, `${name}.json`);
      writeFileSync(file, dump);
      chmodSync(file, 0o644);
    }
  }

  get #socket(): string {
    return path.join(this.folder, 'kong-ts.socket');
  }

  /** Starts the process; resolves when it serves. @throws KongTsError CONTAINER_FAILED */
  async start(): Promise<void> {
    const [command = '', ...args] = this.#command();
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#variables },
    });
    this.#process = child;
    // A test process that ends early takes the server with it.
    const abandon = (): boolean => child.kill('SIGKILL');
    process.once('exit', abandon);
    child.once('close', () => process.off('exit', abandon));
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', this.log.add);
    const ended = new Promise<never>((_resolve, reject) => {
      child.once('error', (error) => reject(this.#failure(`cannot be started: ${messageOf(error)}`)));
      child.once('exit', (code, signal) =>
        reject(this.#failure(`ended with ${signal ?? `status ${String(code)}`}`)),
      );
    });
    ended.catch(() => undefined);
    const ready = until(
      this.#timeout,
      async () => isReady(await this.status(), this.#options.eventHooks === true) || null,
      () => this.#failure(`was not ready after ${String(this.#timeout)} ms`),
    );
    await Promise.race([ready, ended]);
    const { eventHooks } = await this.status();
    if (eventHooks?.admin?.startsWith('http') === true) this.#hooksAdmin = new URL(eventHooks.admin).host;
  }

  /** Base URL of the Admin API of event hooks. */
  get hooksUrl(): string {
    return `http://${this.#hooksAdmin}`;
  }

  async status(): Promise<ServerStatus> {
    return (await askServer(`${this.#socket}.ctl`, 'GET', '/status')) as ServerStatus;
  }

  /** Ends the process with the signal and starts another one. */
  async restart(signal: NodeJS.Signals): Promise<void> {
    await this.#end(signal);
    await this.start();
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.#data, { recursive: true, force: true });
  }

  #command(): string[] {
    return [
      ...hostCommand,
      'serve',
      ...this.#plugins.map(({ spec }) => spec),
      ...socketArguments(this.#plugins, this.#socket),
      ...['--socket-mode', '0666', '--log-level', 'info'],
      ...serveOptions(this.#options, this.#hooksAdmin, this.#data),
    ];
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
    await exit;
    clearTimeout(late);
  }

  #failure(what: string): KongTsError {
    return new KongTsError(
      'CONTAINER_FAILED',
      `The plugin server on this machine ${what}:\n${this.log.text}`,
    );
  }
}
