import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import type { SandboxLog } from '../request/log.ts';

/**
 * How long after SIGTERM the process is killed, in milliseconds. That is when the nginx worker that started it has
 * ended (measured on Kong 3.9.3: a moment later).
 */
const killAfterMs = 100;

/**
 * A plugin server that the sandbox starts itself, as nginx does: with next to no environment and umask 0. It restarts
 * the server at most once a second, and ends it with SIGTERM and, a moment later, SIGKILL. Both signals are for the
 * direct child alone: processes that the child has started live on.
 */
export class ServerProcess {
  readonly #name: string;
  readonly #command: string;
  readonly #log: SandboxLog;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  #startedAt = 0;
  #stopping = false;
  #exited: Promise<void> = Promise.resolve();

  /** @param environment see nginxEnvironment */
  constructor(name: string, command: string, log: SandboxLog, environment: Readonly<Record<string, string>>) {
    this.#name = name;
    this.#command = command;
    this.#log = log;
    this.#environment = environment;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  start(): void {
    if (this.#stopping) return;
    this.#startedAt = Date.now();
    const child = spawn('/bin/sh', ['-c', `umask 0; exec ${this.#command}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...this.#environment },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        for (const line of text.split('\n'))
          if (line !== '') this.#log('info', `[${this.#name}:${String(child.pid)}] ${line}`);
      });
    }
    this.#exited = new Promise((resolve) => {
      // Not 'close': a process that the server has started may hold its output open.
      child.once('exit', (code, signal) => {
        this.#child = null;
        resolve();
        this.#ended(code, signal);
      });
      child.once('error', (error) => {
        this.#log('error', `[${this.#name}] cannot be started: ${error.message}`);
        resolve();
      });
    });
  }

  /**
   * SIGTERM, and SIGKILL if it is still there a moment later. Processes that it has started lose the reader of their
   * output.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const child = this.#child;
    if (child === null) return;
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    await this.#exited;
    clearTimeout(kill);
    await Promise.race([closed, wait(killAfterMs)]);
    child.stdout?.destroy();
    child.stderr?.destroy();
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#stopping) {
      if (signal === 'SIGKILL') this.#log('alert', `[${this.#name}] unknown process exited on signal 9`);
      return;
    }
    this.#log('notice', `[${this.#name}] the plugin server ended (${signal ?? String(code)})`);
    if (code === 127) {
      this.#log(
        'error',
        `[${this.#name}] its start command was not found; it is not started again: ${this.#command}`,
      );
      return;
    }
    this.#timer = setTimeout(() => this.start(), Math.max(0, 1000 - (Date.now() - this.#startedAt)));
  }
}
