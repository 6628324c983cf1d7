import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { cpuOf } from './servers.ts';

/** The event hook dispatcher as the process that it is on a node. */
export class DispatcherProcess {
  readonly grpc: string;
  readonly admin: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, grpc: string, admin: string) {
    this.#child = child;
    this.grpc = grpc;
    this.admin = admin;
  }

  static async start(folder: string, dataDir: string | null): Promise<DispatcherProcess> {
    const child = spawn(
      process.execPath,
      [
        fileURLToPath(new URL('../../src/event-hooks/main.ts', import.meta.url)),
        '--listen',
        `unix:${folder}/hooks-${String(Date.now())}.socket`,
        '--admin',
        '127.0.0.1:0',
        '--allow-loopback',
        '--exit-with-stdin',
        ...(dataDir === null ? [] : ['--data-dir', dataDir]),
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const lines = createInterface({ input: child.stdout });
    const ready = await new Promise<{ grpc: string; admin: string }>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the dispatcher ended with ${String(code)}`)));
      // The rest of its log is read and dropped, so that the pipe never fills.
      lines.on('line', (line) => {
        const message = JSON.parse(line) as { ready?: boolean; grpc: string; admin: string };
        if (message.ready === true) resolve(message);
      });
    });
    return new DispatcherProcess(child, ready.grpc, ready.admin);
  }

  async createHook(hook: object): Promise<string> {
    const url = this.admin.startsWith('http') ? this.admin : `http://${this.admin}`;
    const answer = await request(`${url}/event-hooks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(hook),
    });
    const body = (await answer.body.json()) as { id: string };
    if (answer.statusCode !== 201) throw new Error(`the hook was not created: ${JSON.stringify(body)}`);
    return body.id;
  }

  /** CPU seconds until now. */
  cpu(): number {
    return cpuOf(this.#child.pid ?? 0);
  }

  /** Resident memory in bytes. */
  rss(): number {
    const stat = readFileSync(`/proc/${String(this.#child.pid)}/statm`, 'latin1');
    return Number(stat.split(' ')[1]) * 4096;
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await gone;
  }
}
