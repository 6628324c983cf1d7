import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcome } from '../driver/job.ts';
import { Driver } from './driver.ts';
import type { ServerUnderTest } from './servers.ts';
import { startOurs, startPeer } from './servers.ts';
import type { Summary } from './statistics.ts';
import { ratios, summarize } from './statistics.ts';

export interface Options {
  /** Pairs of measurements per row. */
  rounds: number;
  /** Seconds per measurement. */
  seconds: number;
  connections: number;
}

/** One row of the report: the same work done by us and by the peer, alternating. */
export interface Comparison {
  name: string;
  unit: string;
  ours: Summary;
  peer: Summary | null;
  /** ours / peer, pair by pair. */
  ratio: Summary | null;
  /** What the project wants to reach, as text. */
  target: string | null;
  extra: Record<string, number | string>;
}

/** What a scenario works with. Servers start on demand in a folder of their own and end with the run. */
export class Context {
  readonly options: Options;
  readonly driver = new Driver();
  readonly folder = mkdtempSync(join(tmpdir(), 'kong-ts-bench-'));
  readonly #servers = new Map<string, ServerUnderTest>();

  constructor(options: Options) {
    this.options = options;
  }

  say(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  async ours(
    protocol: 'protobuf' | 'msgpack' | 'mixed',
    workers = 0,
    merge = true,
  ): Promise<ServerUnderTest> {
    return this.#server(`ours ${protocol} ${String(workers)} ${String(merge)}`, () =>
      startOurs(this.folder, protocol, workers, merge),
    );
  }

  async peer(): Promise<ServerUnderTest> {
    return this.#server('peer', () => startPeer(this.folder));
  }

  async #server(key: string, start: () => Promise<ServerUnderTest>): Promise<ServerUnderTest> {
    const server = this.#servers.get(key) ?? (await start());
    this.#servers.set(key, server);
    return server;
  }

  /** Stops the servers, so that the next scenario starts with fresh ones. */
  async reset(): Promise<void> {
    for (const server of this.#servers.values()) await server.stop();
    this.#servers.clear();
  }

  /** Runs `ours` and `peer` in turn, `rounds` times, the order swapped in every second round. */
  async alternate<T>(
    ours: () => Promise<T>,
    peer: () => Promise<T>,
    rounds = this.options.rounds,
  ): Promise<{ ours: T[]; peer: T[] }> {
    const result: { ours: T[]; peer: T[] } = { ours: [], peer: [] };
    for (let round = 0; round < rounds; round += 1) {
      for (const side of round % 2 === 0 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const)) {
        result[side].push(await (side === 'ours' ? ours() : peer()));
      }
    }
    return result;
  }

  async close(): Promise<void> {
    await this.reset();
    this.driver.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A measurement with the CPU time that the whole server has spent on it. */
export interface Measured extends Outcome {
  /** Microseconds of CPU per event, warm-up included: hardly moved by what else the machine does. */
  cpuPerEvent: number;
}

/** Runs a job and reads the server's CPU clock before and after it. */
export async function measure(
  context: Context,
  server: ServerUnderTest,
  job: Omit<Parameters<Driver['run']>[0], 'socket'>,
): Promise<Measured> {
  const before = server.usage().cpu;
  const outcome = await context.driver.run({ ...job, socket: server.socket });
  const seconds = server.usage().cpu - before;
  return { ...outcome, cpuPerEvent: (seconds * 1e6) / (outcome.events + (job.warmup ?? 0)) };
}

/** A row from pairs of throughput measurements. */
export function throughputRow(
  name: string,
  pairs: { ours: Measured[]; peer: Measured[] },
  target: string | null,
  extra: Record<string, number | string> = {},
): Comparison {
  const perSecond = (outcomes: Outcome[]): number[] => outcomes.map((outcome) => outcome.perSecond);
  return {
    name,
    unit: 'events/s',
    ours: summarize(perSecond(pairs.ours)),
    peer: summarize(perSecond(pairs.peer)),
    ratio: ratios(perSecond(pairs.ours), perSecond(pairs.peer)),
    target,
    extra: {
      ...extra,
      cpu: `${cpu(pairs.ours)} / ${cpu(pairs.peer)} µs`,
      driverBusy: Math.max(...pairs.ours.map((outcome) => outcome.driverCpu / outcome.seconds)).toFixed(2),
    },
  };
}

const cpu = (all: Measured[]): string => summarize(all.map((one) => one.cpuPerEvent)).median.toFixed(1);
