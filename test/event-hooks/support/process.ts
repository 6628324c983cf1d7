import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../../src/event-hooks/main.ts', import.meta.url));

/** A dispatcher process. */
export class DispatcherProcess {
  /** The process that was started last, ready or not. */
  static last: ChildProcess | null = null;
  readonly child: ChildProcess;
  readonly log: string[] = [];
  grpc = '';
  admin = '';

  private constructor(child: ChildProcess) {
    this.child = child;
  }

  static async start(args: string[], env: Record<string, string> = {}): Promise<DispatcherProcess> {
    const child = spawn(process.execPath, [main, ...args, '--exit-with-stdin'], {
      env: { ...process.env, ...env },
      // The child ends with this process, whatever becomes of the test.
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    DispatcherProcess.last = child;
    const started = new DispatcherProcess(child);
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    if (child.stdout === null) throw new Error('no standard output');
    const lines = createInterface({ input: child.stdout });
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => {
        reject(new Error(`the dispatcher ended with ${String(code)}: ${stderr}`));
      });
      lines.on('line', (line) => {
        started.log.push(line);
        if (!line.startsWith('{"ready":true')) return;
        const ready = JSON.parse(line) as { grpc: string; admin: string };
        started.grpc = ready.grpc;
        started.admin = ready.admin;
        resolve();
      });
    });
    return started;
  }

  async api<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: T }> {
    const response = await fetch(`${this.admin}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as T };
  }

  /** @returns the exit code, null after a signal */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
    return this.child.exitCode;
  }
}
