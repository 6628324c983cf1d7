import { ratios, summarize } from '../lib/statistics.ts';
import type { Comparison, Context } from '../lib/context.ts';

/** p99 of an event with three calls at half of the peer's maximum rate, from the scheduled start of each event. */
export async function latency(context: Context): Promise<Comparison[]> {
  const { seconds, connections } = context.options;
  const peer = await context.peer();
  const peerJob = {
    socket: peer.socket,
    protocol: 'msgpack',
    plugin: 'bench',
    phase: 'access',
    config: { n: 3 },
    connections,
    seconds,
  } as const;
  const maximum = await context.driver.run({ ...peerJob, warmup: 500 });
  const rate = Math.round(maximum.perSecond / 2);
  const rows: Comparison[] = [];
  for (const protocol of ['protobuf', 'msgpack'] as const) {
    const ours = await context.ours(protocol);
    const oursJob = {
      ...peerJob,
      socket: ours.socket,
      protocol,
      plugin: `bench-${protocol}`,
      rate,
      warmup: 500,
    } as const;
    const pairs = await context.alternate(
      () => context.driver.run(oursJob),
      () => context.driver.run({ ...peerJob, rate, warmup: 500 }),
    );
    const p99 = (side: 'ours' | 'peer'): number[] => pairs[side].map((outcome) => outcome.latency.p99);
    rows.push({
      name: `p99 latency, 3 calls, ${String(rate)} events/s, ${protocol}`,
      unit: 'µs',
      ours: summarize(p99('ours')),
      peer: summarize(p99('peer')),
      ratio: ratios(p99('ours'), p99('peer')),
      target: '1 or less',
      extra: {},
    });
    context.say(rows.at(-1)?.name ?? '');
  }
  return rows;
}
