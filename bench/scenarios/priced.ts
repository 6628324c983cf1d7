import type { Job } from '../driver/job.ts';
import { measure } from '../lib/context.ts';
import type { Comparison, Context, Measured } from '../lib/context.ts';
import { HttpLogServer } from '../lib/http-log-server.ts';
import { RecordSink } from '../lib/record-sink.ts';
import { ratios, summarize } from '../lib/statistics.ts';

/** Microseconds per request of nginx and of the server together. */
const both = (measured: readonly Measured[]): number[] =>
  measured.map(({ nginx, cpuPerEvent }) => nginx + cpuPerEvent);

const server = (measured: readonly Measured[]): string =>
  summarize(measured.map(({ cpuPerEvent }) => cpuPerEvent)).median.toFixed(0);

/** What the server spends more than the other one, pair by pair, in microseconds. */
function above(ours: readonly Measured[], peer: readonly Measured[]): string {
  const { median, min, max } = summarize(
    ours.map(({ cpuPerEvent }, i) => cpuPerEvent - (peer[i]?.cpuPerEvent ?? Number.NaN)),
  );
  return `${median.toFixed(0)} (${min.toFixed(0)} to ${max.toFixed(0)})`;
}

function row(name: string, ours: readonly Measured[], peer: readonly Measured[]): Comparison {
  const [first] = ours;
  const frames = first === undefined ? 0 : first.calls / first.events;
  return {
    name: `${name} (${frames.toFixed(1)} calls)`,
    unit: 'µs',
    ours: summarize(both(ours)),
    peer: summarize(both(peer)),
    ratio: ratios(both(peer), both(ours)),
    target: null,
    extra: { cpu: `${server(ours)} / ${server(peer)} µs` },
  };
}

/** The first measurement of each side is thrown away: what a process does for the first time is compiled on the side. */
async function alternateWarm(
  context: Context,
  ours: () => Promise<Measured>,
  peer: () => Promise<Measured>,
): Promise<{ ours: Measured[]; peer: Measured[] }> {
  await ours();
  await peer();
  return context.alternate(ours, peer);
}

/**
 * What a request costs a Kong with the plugin server: the load generator spends the CPU time that a real nginx spends per
 * event and frame, so that fewer frames count as they do there, and events come as slowly as there.
 */
export async function priced(context: Context): Promise<Comparison[]> {
  const { seconds, connections } = context.options;
  const peer = await context.peer();
  const job = { seconds, connections, prices: 'nginx' } as const;
  const theirs = (phase: Job['phase'], n = 0) =>
    measure(context, peer, { ...job, phase, protocol: 'msgpack', plugin: 'bench', config: { n } });
  const rows: Comparison[] = [];
  const add = async (name: string, ours: () => Promise<Measured>, its: () => Promise<Measured>) => {
    const pairs = await alternateWarm(context, ours, its);
    rows.push(row(`as under a real Kong: ${name}`, pairs.ours, pairs.peer));
    context.say(rows.at(-1)?.name ?? '');
  };
  for (const protocol of ['protobuf', 'msgpack'] as const) {
    const ours = await context.ours(protocol, 1);
    const run = (phase: Job['phase'], n = 0) =>
      measure(context, ours, { ...job, phase, protocol, plugin: `bench-${protocol}`, config: { n } });
    for (const n of [0, 3, 10]) {
      await add(
        `${String(n)} getters and a setter, ${protocol}`,
        () => run('access', n),
        () => theirs('access', n),
      );
    }
    await add(
      `one log.serialize, ${protocol}`,
      () => run('log'),
      () => theirs('log'),
    );
  }
  return rows;
}

/**
 * http-log-enterprise beside a plugin that does `log.serialize` alone, with the same prices. What a record costs above that is
 * the difference of the server's part.
 */
export async function pricedLog(context: Context): Promise<Comparison[]> {
  const { seconds, connections } = context.options;
  const sink = await RecordSink.start();
  const rows: Comparison[] = [];
  try {
    for (const spool of [false, true]) {
      for (const batch of [1, 200]) {
        // Both begin at the same time: for the first seconds a process compiles, and costs more.
        await context.reset();
        const alone = await context.ours('protobuf', 1);
        const ours = await HttpLogServer.start(context, sink, { batch, spool });
        const job = { phase: 'log', seconds, connections, prices: 'nginx' } as const;
        const pairs = await alternateWarm(
          context,
          () => ours.run(job),
          () => measure(context, alone, { ...job, protocol: 'protobuf', plugin: 'bench-protobuf' }),
        );
        const where = spool ? ', records on disk' : '';
        const name = `as under a real Kong: http-log-enterprise, batches of ${String(batch)}${where}`;
        rows.push({
          ...row(name, pairs.ours, pairs.peer),
          extra: {
            'second column': 'one log.serialize',
            cpu: `${server(pairs.ours)} / ${server(pairs.peer)} µs, ${above(pairs.ours, pairs.peer)} above it`,
          },
        });
        context.say(rows.at(-1)?.name ?? '');
        await ours.stop();
      }
    }
  } finally {
    sink.close();
  }
  return rows;
}
