import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { askServer } from '../../../src/server/admin/client.ts';
import type { ServerStatus } from '../../../src/server/index.ts';

/** The command. */
export const program = fileURLToPath(new URL('../../../bin/kong-ts.js', import.meta.url));

export interface LogLine {
  level: string;
  message: string;
  [field: string]: unknown;
}

/** The file of a plugin of these tests. */
export function plugin(name: string): string {
  return fileURLToPath(new URL(`../plugins/${name}.ts`, import.meta.url));
}

/** A `kong-ts serve` in a process of its own. */
export class ServerProcess {
  readonly socket: string;
  readonly log: LogLine[] = [];
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  stderr = '';
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;

  /** @param through a command that runs the server as its arguments */
  constructor(
    socket: string,
    plugins: readonly string[],
    options: readonly string[] = [],
    through: readonly string[] = [],
  ) {
    this.socket = socket;
    const serve = [program, 'serve', ...plugins, '--socket', socket, '--event-hooks', 'off', ...options];
    const [command = '', ...rest] = [...through, process.execPath, ...serve];
    this.#child = spawn(command, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      const parsed = JSON.parse(line) as LogLine & { msg?: string };
      this.log.push({ ...parsed, message: parsed.message ?? parsed.msg ?? '' });
    });
    this.#child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        resolve({ code, signal });
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#child.kill(signal);
  }

  async status(): Promise<ServerStatus> {
    return (await askServer(`${this.socket}.ctl`, 'GET', '/status')) as ServerStatus;
  }

  async workerPids(): Promise<number[]> {
    return (await this.status()).workers.flatMap(({ pid }) => pid ?? []);
  }

  /** Resolves once somebody listens on the socket. */
  async listening(): Promise<this> {
    await until(
      () => canConnect(this.socket),
      'listening',
      () => this.#state(),
    );
    return this;
  }

  /** Resolves once every plugin has loaded in every worker. */
  async ready(): Promise<this> {
    await this.listening();
    const allReady = async () => {
      const status = await this.status().catch(() => null);
      return status !== null && status.workers.every(({ state }) => state === 'ready');
    };
    await until(allReady, 'ready', () => this.#state());
    return this;
  }

  async logged(part: string): Promise<LogLine> {
    const find = () => this.log.find(({ message }) => message.includes(part));
    await until(
      async () => find() !== undefined,
      `the log line "${part}"`,
      () => this.#state(),
    );
    return find() as LogLine;
  }

  #state(): string {
    const log = this.log.map((line) => JSON.stringify(line)).join('\n');
    return `${this.running ? 'running' : 'ended'}\n${this.stderr}${log}`;
  }
}

/** Waits for a condition outside of this process. */
export async function until(
  condition: () => Promise<boolean>,
  what: string,
  state: () => string = () => '',
  limit = 50_000,
): Promise<void> {
  const end = Date.now() + limit;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}: ${state()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

/** A folder and servers that end with the test. */
export class Workbench {
  readonly folder: string;
  readonly #servers: ServerProcess[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<Workbench> {
    return new Workbench(await mkdtemp(join(tmpdir(), 'kts-')));
  }

  serve(plugins: readonly string[], ...options: string[]): ServerProcess {
    return this.serveAt('k.sock', plugins, ...options);
  }

  serveAt(socket: string, plugins: readonly string[], ...options: string[]): ServerProcess {
    const files = plugins.map((name) => (name.includes('/') ? name : plugin(name)));
    const server = new ServerProcess(join(this.folder, socket), files, options);
    this.#servers.push(server);
    return server;
  }

  /** A server in a folder of this one, started through another command. */
  serveThrough(through: readonly string[], socket: string, plugins: readonly string[]): ServerProcess {
    const server = new ServerProcess(socket, plugins.map(plugin), ['--workers', '1'], through);
    this.#servers.push(server);
    return server;
  }

  async clean(): Promise<void> {
    for (const server of this.#servers) if (server.running) server.kill('SIGKILL');
    await Promise.all(this.#servers.map(({ exited }) => exited));
    await rm(this.folder, { recursive: true, force: true });
  }
}
