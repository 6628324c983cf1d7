import { spawn, type ChildProcess } from 'node:child_process';
import type { SandboxLog } from '../gateway/log.ts';

/** A plugin server that the sandbox starts itself: respawned at most once a second, ended with SIGTERM. */
export class ServerProcess {
  private readonly name: string;
  private readonly command: string;
  private readonly log: SandboxLog;
  private child: ChildProcess | null = null;
  private timer: NodeJS.Timeout | null = null;
  private startedAt = 0;
  private stopping = false;
  private exited: Promise<void> = Promise.resolve();

  constructor(name: string, command: string, log: SandboxLog) {
    this.name = name;
    this.command = command;
    this.log = log;
  }

  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  start(): void {
    if (this.stopping) return;
    this.startedAt = Date.now();
    const child = spawn('/bin/sh', ['-c', `exec ${this.command}`], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => {
        for (const line of text.split('\n'))
          if (line !== '') this.log('info', `[${this.name}:${String(child.pid)}] ${line}`);
      });
    }
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.child = null;
        resolve();
        this.ended(code, signal);
      });
      child.once('error', (error) => this.log('error', `[${this.name}] cannot be started: ${error.message}`));
    });
  }

  /** SIGTERM, and SIGKILL when it is still there after `graceMs`. */
  async stop(graceMs = 10_000): Promise<void> {
    this.stopping = true;
    if (this.timer !== null) clearTimeout(this.timer);
    const { child } = this;
    if (child === null) return;
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await this.exited;
    clearTimeout(kill);
  }

  private ended(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.stopping) return;
    this.log('notice', `[${this.name}] the plugin server ended (${signal ?? String(code)})`);
    if (code === 127) {
      this.log(
        'error',
        `[${this.name}] its start command was not found; it is not started again: ${this.command}`,
      );
      return;
    }
    this.timer = setTimeout(() => this.start(), Math.max(0, 1000 - (Date.now() - this.startedAt)));
  }
}
