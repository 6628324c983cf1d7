import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { KongTsError } from '../base/errors.ts';
import type { Protocol } from '../pdk/names/index.ts';
import type { CompiledPlugin } from '../plugin/index.ts';
import { loadPlugin } from '../plugin/index.ts';
import { packageRoot } from '../base/package.ts';
import { FakeKong } from './kong/fake-kong.ts';
import type { FakeInstance, InstanceOptions } from './kong/fake-instance.ts';
import { listed, misuse } from './misuse.ts';

/** How long a server may take to listen and to stop, in milliseconds. */
const startLimitMs = 20_000;
const stopLimitMs = 15_000;

/** Options of a plugin server in a process of its own. */
export interface PluginServerOptions {
  /** Plugin files, package names or names of bundled plugins, as for `kong-ts serve`. */
  readonly plugins: readonly string[];
  /** Worker processes; 0 runs everything in the one. Default 1. */
  readonly workers?: number;
  /** What relative plugin paths are resolved from. Default: the current folder. */
  readonly cwd?: string;
  /** Environment variables besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** More options of `kong-ts serve`, such as `['--data-dir', dir]`. Event hooks are off unless they turn them on. */
  readonly args?: readonly string[];
}

/** A plugin server in a process of its own, on a temporary socket. */
export interface TestPluginServer {
  /** Path of the socket. */
  readonly socket: string;
  readonly pid: number;
  /** The plugins it serves. */
  readonly plugins: readonly CompiledPlugin[];
  /** Everything it has written to standard output and standard error so far: one JSON object per line. */
  readonly output: string;
  /** A fake Kong that speaks the protocol; with one, the plugins' is meant unless they differ. */
  kong(protocol?: Protocol): FakeKong;
  /** Configures one of the plugins on a fake Kong of its own. @throws as FakeKong.startInstance */
  startInstance(plugin: string, options?: InstanceOptions): Promise<FakeInstance>;
  /** Ends it in an orderly way (SIGTERM) and removes the socket. Also closes its fake Kongs. */
  stop(): Promise<void>;
  /** Ends it at once (SIGKILL), as a crash does. */
  kill(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts `kong-ts serve` on a temporary socket and waits until it listens.
 * @throws KongTsError PLUGIN_SERVER_UNREACHABLE with what it printed when it does not come up, and what loading a
 *   plugin throws
 */
export async function startPluginServer(options: PluginServerOptions): Promise<TestPluginServer> {
  const { plugins, cwd } = options;
  const loaded = await Promise.all(plugins.map((spec) => loadPlugin(spec, cwd === undefined ? {} : { cwd })));
  const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-server-'));
  const socket = path.join(folder, 'plugin.sock');
  const { workers = 1, args = [], env = {} } = options;
  const child = spawn(
    process.execPath,
    [
      fileURLToPath(new URL('bin/kong-ts.js', packageRoot)),
      'serve',
      ...plugins,
      ...['--socket', socket, '--workers', String(workers), '--log-level', 'debug', '--event-hooks', 'off'],
      ...args,
    ],
    { cwd: cwd ?? process.cwd(), env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const server = new ServerProcess(child, socket, folder, loaded);
  try {
    await server.listening();
  } catch (error) {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return server;
}

class ServerProcess implements TestPluginServer {
  readonly socket: string;
  readonly plugins: readonly CompiledPlugin[];
  output = '';
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #exited: Promise<unknown>;
  readonly #kongs: FakeKong[] = [];
  /** A test process that ends early takes the server with it. */
  readonly #abandon = () => this.#child.kill('SIGKILL');

  constructor(child: ChildProcess, socket: string, folder: string, plugins: readonly CompiledPlugin[]) {
    this.#child = child;
    this.socket = socket;
    this.#folder = folder;
    this.plugins = plugins;
    this.#exited = once(child, 'close').catch(() => undefined);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    process.once('exit', this.#abandon);
    void this.#exited.then(() => process.off('exit', this.#abandon));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get #alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async listening(): Promise<void> {
    const limit = Date.now() + startLimitMs;
    while (this.#alive && Date.now() < limit) {
      if (await accepts(this.socket)) return;
      await sleep(25);
    }
    throw new KongTsError(
      'PLUGIN_SERVER_UNREACHABLE',
      `The plugin server ${this.#alive ? `does not listen after ${startLimitMs} ms` : 'ended at once'}: ${this.output.trim()}`,
    );
  }

  kong(protocol: Protocol = this.#commonProtocol()): FakeKong {
    const kong = new FakeKong({ socket: this.socket, protocol });
    this.#kongs.push(kong);
    return kong;
  }

  async startInstance(name: string, options: InstanceOptions = {}): Promise<FakeInstance> {
    const plugin = this.plugins.find((each) => each.name === name);
    if (plugin === undefined) {
      throw misuse(
        `The server has no plugin ${JSON.stringify(name)}.`,
        `It serves ${listed(
          this.plugins.map((each) => each.name),
          'and',
        )}.`,
      );
    }
    return this.kong(plugin.protocol).startInstance(plugin, options);
  }

  async stop(): Promise<void> {
    for (const kong of this.#kongs.splice(0)) kong.close();
    if (this.#alive) this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), stopLimitMs);
    await this.#exited;
    clearTimeout(late);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #commonProtocol(): Protocol {
    const protocols = new Set(this.plugins.map(({ protocol }) => protocol));
    const [first] = protocols;
    if (first !== undefined && protocols.size === 1) return first;
    throw misuse(
      'The plugins of this server speak different protocols.',
      "Say which: kong('protobuf') or kong('msgpack').",
    );
  }
}

/** Whether somebody answers on the socket. */
function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const attempt = connect({ path: socket });
    const settle = (accepted: boolean) => {
      attempt.destroy();
      resolve(accepted);
    };
    attempt.once('connect', () => settle(true));
    attempt.once('error', () => settle(false));
  });
}
