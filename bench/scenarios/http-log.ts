import { record } from '../driver/replies.ts';
import { measure, throughputRow } from '../lib/context.ts';
import type { Comparison, Context } from '../lib/context.ts';
import { HttpLogServer } from '../lib/http-log-server.ts';
import { RecordSink } from '../lib/record-sink.ts';

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
    for (const { batch, spool, target } of [
      { batch: 200, spool: false, target: '1.5' },
      { batch: 200, spool: true, target: '1.2' },
      { batch: 1, spool: false, target: '1.1' },
      { batch: 1, spool: true, target: null },
    ]) {
      const ours = await HttpLogServer.start(context, sink, { batch, spool });
      await ours.run({ ...job, events: 3000 });
      const pairs = await context.alternate(
        () => ours.run(job),
        () => measure(context, peer, { ...job, warmup: 500, protocol: 'msgpack', plugin: 'bench' }),
      );
      const where = spool ? ', records on disk' : '';
      rows.push(
        throughputRow(
          `http-log-enterprise, batches of ${String(batch)}${where}, against log.serialize alone`,
          pairs,
          target,
          { batch, spool: String(spool), recordBytes: record.length, lost: 0 },
        ),
      );
      const row = rows.at(-1);
      context.say(`${row?.name ?? ''}: ${JSON.stringify(row?.ratio)}`);
      await ours.stop();
    }
  } finally {
    sink.close();
  }
  return rows;
}
