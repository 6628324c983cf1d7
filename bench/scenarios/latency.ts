import { ratios, summarize } from '../lib/statistics.ts';
import type { Comparison, Context } from '../lib/context.ts';

/** Runs that are thrown away: what a process does for the first time is compiled on the side. */
const warmUps = 2;
/** Runs that the peer's maximum is the median of. */
const maximumRuns = 3;

/**
 * p99 of an event with three calls at half of the peer's maximum rate. Events begin by the clock, whether earlier ones have
 * ended or not, and each counts from when it was due. Both sides take turns, so each ratio is formed of neighbours; twice as
 * many runs as rounds, because a p99 is what other work on the machine moves most.
 */
export async function latency(context: Context): Promise<Comparison[]> {
  const { seconds, connections, rounds } = context.options;
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
  const maxima: number[] = [];
  for (let run = 0; run < maximumRuns; run += 1)
    maxima.push((await context.driver.run({ ...peerJob, warmup: 2000 })).perSecond);
  const rate = Math.round(summarize(maxima).median / 2);
  const rows: Comparison[] = [];
  for (const protocol of ['protobuf', 'msgpack'] as const) {
    const { socket } = await context.ours(protocol, 1);
    const ours = () =>
      context.driver.run({ ...peerJob, socket, protocol, plugin: `bench-${protocol}`, rate, warmup: 500 });
    const theirs = () => context.driver.run({ ...peerJob, rate, warmup: 500 });
    for (let run = 0; run < warmUps; run += 1) await ours();
    const pairs = await context.alternate(ours, theirs, rounds * 2);
    const of = (side: 'ours' | 'peer', which: 'p50' | 'p99'): number[] =>
      pairs[side].map((outcome) => outcome.latency[which]);
    const p50 = (side: 'ours' | 'peer'): string =>
      `${String(Math.round(summarize(of(side, 'p50')).median))} µs`;
    rows.push({
      name: `p99 latency, 3 calls, ${String(rate)} events/s, ${protocol}`,
      unit: 'µs',
      ours: summarize(of('ours', 'p99')),
      peer: summarize(of('peer', 'p99')),
      ratio: ratios(of('ours', 'p99'), of('peer', 'p99')),
      target: protocol === 'protobuf' ? '0.4 or less' : '0.7 or less',
      extra: { cpu: `p50 ${p50('ours')} / ${p50('peer')}` },
    });
    context.say(JSON.stringify(rows.at(-1)));
  }
  return rows;
}
