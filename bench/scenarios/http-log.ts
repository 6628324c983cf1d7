import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withKongNumbers } from '../../plugins/http-log-enterprise/record/numbers.ts';
import { record } from '../driver/replies.ts';
import type { Comparison, Context, Measured } from '../lib/context.ts';
import { measure, throughputRow } from '../lib/context.ts';
import { RecordSink } from '../lib/record-sink.ts';
import { ServerUnderTest } from '../lib/servers.ts';

const cli = fileURLToPath(new URL('../../bin/kong-ts.js', import.meta.url));

/** http-log-enterprise as its users serve it: a supervisor and one worker. */
function startServer(folder: string, name: string, dataDir: string | null): Promise<ServerUnderTest> {
  const socket = join(folder, `${name}.socket`);
  const args = [cli, 'serve', 'http-log-enterprise', '--socket', socket, '--workers', '1'];
  if (dataDir !== null) args.push('--data-dir', dataDir);
  return ServerUnderTest.start('kong-ts', socket, args);
}

/**
 * Log events per second of http-log-enterprise from Kong's first byte until the last record has arrived at its
 * endpoint, against kong-pdk doing `log.serialize` alone and sending nothing. A record that does not arrive fails the
 * run.
 */
export async function httpLog(context: Context): Promise<Comparison[]> {
  const { seconds, connections } = context.options;
  const peer = await context.peer();
  const sink = await RecordSink.start();
  const rows: Comparison[] = [];
  const job = { phase: 'log', seconds, connections } as const;
  try {
    for (const { batch, spool } of [
      { batch: 200, spool: false },
      { batch: 200, spool: true },
      { batch: 1, spool: false },
      { batch: 1, spool: true },
    ]) {
      const dataDir = spool ? mkdtempSync(join(context.folder, 'data-')) : null;
      const ours = await startServer(context.folder, `http-log-${String(batch)}-${String(spool)}`, dataDir);
      const config = {
        http_endpoint: sink.url,
        queue: { max_batch_size: batch, max_coalescing_delay: 0.05, max_entries: 1_000_000 },
      };
      const run = async (limit: { events?: number }): Promise<Measured> => {
        await sink.order({ reset: true });
        const began = performance.now();
        const before = ours.usage().cpu;
        const outcome = await context.driver.run({
          ...job,
          ...limit,
          socket: ours.socket,
          protocol: 'protobuf',
          plugin: 'http-log-enterprise',
          config,
        });
        const arrived = await sink.until((received) => records(received, batch) >= outcome.events);
        if (records(arrived, batch) !== outcome.events)
          throw new Error(`${String(outcome.events)} events, but ${JSON.stringify(arrived)}`);
        const all = (performance.now() - began) / 1000;
        const cpuPerEvent = ((ours.usage().cpu - before) * 1e6) / outcome.events;
        return { ...outcome, seconds: all, perSecond: outcome.events / all, cpuPerEvent };
      };
      await run({ events: 3000 });
      const pairs = await context.alternate(
        () => run({}),
        () => measure(context, peer, { ...job, warmup: 500, protocol: 'msgpack', plugin: 'bench' }),
      );
      rows.push(
        throughputRow(
          `http-log-enterprise, batches of ${String(batch)}${spool ? ', records on disk' : ''}, against log.serialize alone`,
          pairs,
          batch === 200 ? '1.5' : null,
          { batch, spool: String(spool), recordBytes: record.length, lost: 0 },
        ),
      );
      const row = rows.at(-1);
      context.say(`${row?.name ?? ''}: ${JSON.stringify(row?.ratio)}`);
      await ours.stop();
      if (dataDir !== null) rmSync(dataDir, { recursive: true, force: true });
    }
  } finally {
    sink.close();
  }
  return rows;
}

/** All records of the benchmark are alike, so that bytes tell how many they are. */
function records({ requests, bytes }: { requests: number; bytes: number }, batch: number): number {
  return batch === 1 ? requests : Math.round((bytes - requests) / (sentLength + 1));
}

/** What the record takes when its numbers have http-log's 14 digits. */
const sentLength = Buffer.byteLength(withKongNumbers(record));
