import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isAlive } from './server-process.ts';
import type { LogLine } from './server-process.ts';

// What Kong's nginx does to a plugin server, with processes that have nginx's names: a worker starts it with next to no
// environment and umask 0, sends it SIGTERM as it ends and kills it, and it alone, a moment later.

export type Order =
  | { readonly start: readonly string[]; readonly env?: Readonly<Record<string, string>> }
  /** `kong reload`: the worker parts with its requests, and the server gets SIGTERM. */
  | { readonly leave: true }
  /** The worker ends, which kills the server. */
  | { readonly end: true }
  /** `kong stop`: the worker sends SIGTERM and ends so many milliseconds later, then the master does. */
  | { readonly stop: number }
  /** `kong quit`: the same after the worker has parted with its requests. */
  | { readonly quit: number }
  /** Kills the server without a word. */
  | { readonly kill: true };

type Word = { readonly line: string } | { readonly pid: number } | { readonly left: true };

/** An nginx master, with a worker for each server that it has started. */
export class NginxMaster {
  readonly #process: ChildProcess;
  readonly log: LogLine[] = [];
  readonly pids: number[] = [];
  left = 0;

  constructor() {
    this.#process = fork(fileURLToPath(import.meta.url), ['master', ' '.repeat(80)], { stdio: 'inherit' });
    this.#process.on('message', (word: Word) => {
      if ('pid' in word) this.pids.push(word.pid);
      else if ('left' in word) this.left++;
      else if (word.line.startsWith('{')) {
        const parsed = JSON.parse(word.line) as LogLine & { msg?: string };
        this.log.push({ ...parsed, message: parsed.message ?? parsed.msg ?? '' });
      }
    });
  }

  /** The last worker that was started, or a new one for `start`, does it. */
  order(order: Order): void {
    this.#process.send(order);
  }

  logged(part: string): boolean {
    return this.log.some(({ message }) => message.includes(part));
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.kill('SIGKILL');
      await exited;
    }
    // Their workers end by themselves, since Kong is gone.
    for (const pid of this.pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
}

function master(): void {
  process.title = 'nginx: master process';
  let worker: ChildProcess | null = null;
  process.on('message', (order: Order) => {
    if ('start' in order) {
      const started = fork(fileURLToPath(import.meta.url), ['worker', ' '.repeat(80)], { stdio: 'inherit' });
      started.on('message', (word: Word) => process.send?.(word));
      started.on('exit', () => process.send?.({ left: true }));
      worker = started;
    }
    worker?.send(order);
    if ('stop' in order || 'quit' in order) worker?.once('exit', () => process.exit());
  });
}

function worker(): void {
  process.title = 'nginx: worker process';
  process.on('disconnect', () => process.exit());
  let server: ChildProcess | null = null;
  process.on('message', (order: Order) => {
    if ('start' in order) {
      const [command = '', ...rest] = order.start;
      process.umask(0);
      // Its output goes to error.log as long as this process lives.
      const child = spawn(command, rest, {
        env: { PWD: '/', ...order.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      server = child;
      process.send?.({ pid: child.pid ?? 0 });
      for (const input of [child.stdout, child.stderr]) {
        createInterface({ input }).on('line', (line) => process.send?.({ line }));
      }
      return;
    }
    if ('kill' in order) {
      server?.kill('SIGKILL');
      return;
    }
    const end = (): void => {
      server?.kill('SIGKILL');
      process.exit();
    };
    if ('end' in order) {
      end();
      return;
    }
    if (!('stop' in order)) process.title = 'nginx: worker process is shutting down';
    server?.kill('SIGTERM');
    if (!('leave' in order)) setTimeout(end, 'stop' in order ? order.stop : order.quit);
  });
}

if (process.argv[2] === 'master') master();
else if (process.argv[2] === 'worker') worker();
