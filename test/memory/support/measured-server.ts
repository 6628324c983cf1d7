import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Driver } from '../../../bench/lib/driver.ts';
import { ServerUnderTest } from '../../../bench/lib/servers.ts';
import type { MemoryReport } from './report-memory.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** The whole server: its supervisor and its worker together, in bytes. */
export interface Reading {
  /** What is in use after a collection of garbage. */
  live: number;
  /** What the operating system says, right after it. */
  resident: number;
}

/** `kong-ts serve` with one worker, the benchmark's driver as its Kong, and a look into all of its processes. */
export class MeasuredServer {
  readonly #folder: string;
  readonly #reports: string;
  readonly #server: ServerUnderTest;
  readonly #driver = new Driver();

  private constructor(folder: string, reports: string, server: ServerUnderTest) {
    this.#folder = folder;
    this.#reports = reports;
    this.#server = server;
  }

  static async start(plugins: readonly string[]): Promise<MeasuredServer> {
    const folder = mkdtempSync(join(tmpdir(), 'kts-memory-'));
    const reports = join(folder, 'reports');
    mkdirSync(reports);
    const socket = join(folder, 'k.sock');
    const command = [path('../../../bin/kong-ts.js'), 'serve', ...plugins, '--socket', socket];
    const server = await ServerUnderTest.start(
      'kong-ts',
      socket,
      [...command, '--workers', '1', '--event-hooks', 'off'],
      {
        NODE_OPTIONS: `--expose-gc --import ${new URL('./report-memory.ts', import.meta.url).href}`,
        KONG_TS_MEMORY_REPORTS: reports,
      },
    );
    return new MeasuredServer(folder, reports, server);
  }

  /** Runs events of the access phase, `n` calls and one more each, as fast as the server can. */
  async serve(protocol: 'protobuf' | 'msgpack', plugin: string, events: number, n: number): Promise<void> {
    const { socket } = this.#server;
    const config = { n };
    const job = { socket, protocol, plugin, phase: 'access', config, events, connections: 16 } as const;
    const outcome = await this.#driver.run({ ...job, seconds: 600 });
    if (outcome.events !== events) throw new Error(`${String(outcome.events)} of ${String(events)} events`);
  }

  async read(): Promise<Reading> {
    const reports = await Promise.all(this.#server.pids().map((pid) => this.#ask(pid)));
    const sum = (of: (report: MemoryReport) => number): number =>
      reports.reduce((total, report) => total + of(report), 0);
    return { live: sum(({ live }) => live), resident: sum(({ rss }) => rss) };
  }

  async #ask(pid: number): Promise<MemoryReport> {
    const file = join(this.#reports, `${String(pid)}.json`);
    rmSync(file, { force: true });
    process.kill(pid, 'SIGUSR2');
    const end = Date.now() + 30_000;
    for (;;) {
      try {
        return JSON.parse(readFileSync(file, 'utf8')) as MemoryReport;
      } catch (error) {
        if (Date.now() > end) throw new Error(`the process ${String(pid)} does not report`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async close(): Promise<void> {
    this.#driver.close();
    await this.#server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
