import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:net';

const root = '/usr/lib/postgresql';

/** The programs of Debian's newest PostgreSQL; null: there is none on this machine. */
export function serverPrograms(): string | null {
  if (!existsSync(root)) return null;
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  const folder = versions
    .map((version) => join(root, version, 'bin'))
    .find((one) => existsSync(join(one, 'initdb')));
  return folder ?? null;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** PostgreSQL refuses to run as root: then it runs as the user that Debian made for it. */
function whom(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (what: string): number =>
    Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' }).trim());
  return { uid: id('-u'), gid: id('-g') };
}

/** A throw-away cluster of a real server on a free port of loopback. Everybody of this machine may log in. */
export class PostgresServer {
  readonly folder: string;
  readonly port: number;
  readonly #bin: string;
  readonly #user = whom();
  #child: ChildProcess | null = null;

  private constructor(bin: string, folder: string, port: number) {
    this.#bin = bin;
    this.folder = folder;
    this.port = port;
  }

  /** @param settings of postgresql.conf */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
    const bin = serverPrograms();
    if (bin === null) throw new Error('no PostgreSQL is installed');
    const folder = mkdtempSync(join(tmpdir(), 'kong-ts-postgres-'));
    const server = new PostgresServer(bin, folder, await freePort());
    if (server.#user.uid !== undefined) chownSync(folder, server.#user.uid, server.#user.gid ?? 0);
    server.#run('initdb', [
      '-D',
      join(folder, 'data'),
      '-U',
      'kong',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--no-sync',
      '--locale=C.UTF-8',
    ]);
    await server.begin(settings);
    return server;
  }

  /** A standby of this one that streams from it, not started yet. */
  async standby(): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'kong-ts-postgres-'));
    if (this.#user.uid !== undefined) chownSync(folder, this.#user.uid, this.#user.gid ?? 0);
    const data = join(folder, 'data');
    const from = ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'kong'];
    this.#run('pg_basebackup', [...from, '-D', data, '-R', '-X', 'stream', '--no-sync', '-c', 'fast']);
    return new PostgresServer(this.#bin, folder, await freePort());
  }

  url(database = 'postgres', options = ''): string {
    return `postgres://kong@127.0.0.1:${String(this.port)}/${database}${options}`;
  }

  /** Starts the server and waits until it answers. */
  async begin(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const all = {
      port: String(this.port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: this.folder,
      ...settings,
    };
    const words = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(this.#bin, 'postgres'), ['-D', join(this.folder, 'data'), ...words], {
      ...this.#user,
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: this.folder,
    });
    this.#child = child;
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const gone = once(child, 'exit').then(() => {
      throw new Error(`PostgreSQL ended: ${said}`);
    });
    gone.catch(() => undefined);
    await Promise.race([gone, this.#untilItAnswers(() => said)]);
  }

  async #untilItAnswers(said: () => string): Promise<void> {
    const end = Date.now() + 60_000;
    while (!/ready to accept (?:read-only )?connections/.test(said())) {
      if (Date.now() > end) throw new Error(`PostgreSQL does not start: ${said()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const socket = connect(this.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
  }

  promote(): void {
    this.#run('pg_ctl', ['promote', '-D', join(this.folder, 'data')]);
  }

  /** @param signal SIGINT: at once; SIGQUIT: without a farewell, as in a crash */
  async end(signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  /** Ends it and removes its folder. */
  async remove(): Promise<void> {
    await this.end('SIGQUIT');
    rmSync(this.folder, { recursive: true, force: true });
  }

  #run(program: string, words: readonly string[]): void {
    execFileSync(join(this.#bin, program), words, {
      ...this.#user,
      cwd: this.folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }
}
