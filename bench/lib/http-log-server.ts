import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withKongNumbers } from '../../plugins/http-log-enterprise/record/numbers.ts';
import type { Job } from '../driver/job.ts';
import { record } from '../driver/replies.ts';
import type { Context, Measured } from './context.ts';
import type { Received, RecordSink } from './record-sink.ts';
import { ServerUnderTest } from './servers.ts';

const cli = fileURLToPath(new URL('../../bin/kong-ts.js', import.meta.url));
/** What the record takes when its numbers have http-log's 14 digits. */
const sentLength = Buffer.byteLength(withKongNumbers(record));

/** How http-log-enterprise is configured. */
export interface LogSettings {
  /** `queue.max_batch_size` */
  readonly batch: number;
  /** Whether records are on disk before their event ends. */
  readonly spool: boolean;
}

/** http-log-enterprise as its users serve it, a supervisor and one worker, with an endpoint that counts what arrives. */
export class HttpLogServer {
  readonly #context: Context;
  readonly #sink: RecordSink;
  readonly #settings: LogSettings;
  readonly #server: ServerUnderTest;
  readonly #dataDir: string | null;

  private constructor(
    context: Context,
    sink: RecordSink,
    settings: LogSettings,
    server: ServerUnderTest,
    dataDir: string | null,
  ) {
    this.#context = context;
    this.#sink = sink;
    this.#settings = settings;
    this.#server = server;
    this.#dataDir = dataDir;
  }

  static async start(context: Context, sink: RecordSink, settings: LogSettings): Promise<HttpLogServer> {
    const { batch, spool } = settings;
    const dataDir = spool ? mkdtempSync(join(context.folder, 'data-')) : null;
    const socket = join(context.folder, `http-log-${String(batch)}-${String(spool)}.socket`);
    const args = [cli, 'serve', 'http-log-enterprise', '--socket', socket, '--workers', '1'];
    if (dataDir !== null) args.push('--data-dir', dataDir);
    const server = await ServerUnderTest.start('kong-ts', socket, args);
    // The dispatcher of event hooks starts beside the worker, and its start is no record's price.
    await server.quiet();
    return new HttpLogServer(context, sink, settings, server, dataDir);
  }

  /**
   * From Kong's first byte until the last record has arrived.
   *
   * @throws Error when a record does not arrive
   */
  async run(job: Partial<Job> & Pick<Job, 'phase'>): Promise<Measured> {
    const { batch } = this.#settings;
    await this.#sink.order({ reset: true });
    const began = performance.now();
    const before = this.#server.usage().cpu;
    const outcome = await this.#context.driver.run({
      ...job,
      socket: this.#server.socket,
      protocol: 'protobuf',
      plugin: 'http-log-enterprise',
      config: {
        http_endpoint: this.#sink.url,
        queue: { max_batch_size: batch, max_coalescing_delay: 0.05, max_entries: 1_000_000 },
      },
    });
    const arrived = await this.#sink.until((received) => records(received, batch) >= outcome.events);
    if (records(arrived, batch) !== outcome.events)
      throw new Error(`${String(outcome.events)} events, but ${JSON.stringify(arrived)}`);
    const seconds = (performance.now() - began) / 1000;
    const cpuPerEvent = ((this.#server.usage().cpu - before) * 1e6) / outcome.events;
    return { ...outcome, seconds, perSecond: outcome.events / seconds, cpuPerEvent };
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    if (this.#dataDir !== null) rmSync(this.#dataDir, { recursive: true, force: true });
  }
}

/** All records of the benchmark are alike, so that bytes tell how many they are. */
function records({ requests, bytes }: Received, batch: number): number {
  return batch === 1 ? requests : Math.round((bytes - requests) / (sentLength + 1));
}
