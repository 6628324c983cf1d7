import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ownModule } from '../../base/package.ts';
import { recordOf } from '../../terminal/index.ts';
import type { ServerLog } from '../log/types.ts';
import type { CompiledServerOptions } from '../options.ts';
import { Backoff } from '../supervisor/backoff.ts';
import { readLines } from './bounded-lines.ts';

const entry = ownModule('../../event-hooks/main', import.meta.url);

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** The event hook dispatcher as a process of its own, started again when it dies. It ends when this process does. */
export class DispatcherProcess {
  grpc: string | null = null;
  admin: string | null = null;
  readonly #options: CompiledServerOptions;
  readonly #log: ServerLog;
  readonly #ready: (address: string) => void;
  readonly #backoff = new Backoff({ firstMs: 200, mostMs: 10_000, healthyAfterMs: 10_000 });
  #child: Child | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopping = false;

  /** @param ready called with the gRPC address each time it listens */
  constructor(options: CompiledServerOptions, log: ServerLog, ready: (address: string) => void) {
    this.#options = options;
    this.#log = log;
    this.#ready = ready;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Its process and its addresses, as far as they are known. */
  status(): { pid: number | null; grpc: string | null; admin: string | null } {
    return { pid: this.pid, grpc: this.grpc, admin: this.admin };
  }

  start(): void {
    const startedAt = Date.now();
    const child: Child = spawn(process.execPath, [fileURLToPath(entry), ...this.#arguments()], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // A Ctrl-C reaches the whole group of a terminal; the dispatcher ends when this process says so, or is gone.
      detached: true,
      env: {
        ...process.env,
        ...this.#options.dispatcher.environment,
        // Its console shows this server.
        KONG_TS_SERVER_CONTROL: this.#options.control ?? '',
      },
    });
    this.#child = child;
    child.stdin.on('error', () => undefined);
    readLines(child.stdout, (line) => {
      this.#line(line);
    });
    let ended = false;
    const end = (why: string) => {
      if (ended) return;
      ended = true;
      this.#child = null;
      this.grpc = null;
      if (this.#stopping) return;
      const waitMs = this.#backoff.next(Date.now() - startedAt) + 100;
      this.#log.error('the event hook dispatcher has died and is started again', {
        why,
        restartInMs: waitMs,
      });
      this.#timer = setTimeout(() => {
        this.start();
      }, waitMs);
    };
    child.once('exit', (code, signal) => {
      end(signal === null ? `exit status ${code}` : `signal ${signal}`);
    });
    child.once('error', (error) => {
      end(error.message);
    });
  }

  /** SIGTERM, then SIGKILL after `limitMs`. */
  async stop(limitMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const child = this.#child;
    if (child === null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    await exited;
    clearTimeout(timer);
  }

  #arguments(): string[] {
    const { sockets, dispatcher } = this.#options;
    return [
      ...dispatcher.words,
      '--listen',
      `unix:${sockets[0]?.path ?? ''}.hooks.${process.pid}`,
      '--reuse-port',
      '--exit-with-stdin',
    ];
  }

  /** The first line says where it listens; every later one is a line of its log. */
  #line(line: string): void {
    const ready = this.grpc === null ? parseReady(line) : null;
    if (ready === null) {
      this.#pass(line);
      return;
    }
    this.grpc = ready.grpc;
    this.admin = ready.admin;
    this.#log.info('the event hook dispatcher listens', { grpc: ready.grpc, admin: ready.admin });
    this.#ready(ready.grpc);
  }

  /** A line of its log has our format already. If only a program reads the log, the line goes on as it is. */
  #pass(line: string): void {
    const record = this.#options.logFormat === 'pretty' ? recordOf(line) : null;
    if (record === null) process.stdout.write(`${line}\n`);
    else this.#log[record.level](record.message, { ...record.fields });
  }
}

function parseReady(line: string): { grpc: string; admin: string | null } | null {
  try {
    const parsed = JSON.parse(line) as { ready?: unknown; grpc?: unknown; admin?: unknown };
    if (parsed.ready !== true || typeof parsed.grpc !== 'string') return null;
    return { grpc: parsed.grpc, admin: typeof parsed.admin === 'string' ? parsed.admin : null };
  } catch {
    return null;
  }
}
