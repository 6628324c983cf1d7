import { measure } from '../lib/context.ts';
import type { Comparison, Context, Measured } from '../lib/context.ts';
import { ratios, summarize } from '../lib/statistics.ts';

const cpuOf = (measured: readonly Measured[]): number[] => measured.map(({ cpuPerEvent }) => cpuPerEvent);

/** Calls of Kong per event. */
const framesOf = (measured: readonly Measured[]): string => {
  const [first] = measured;
  return first === undefined ? '' : (first.calls / first.events).toFixed(1);
};

/** CPU of the server per event against the peer's, merged and each call by itself; throughput in `extra`. */
export async function merging(context: Context): Promise<Comparison[]> {
  const { seconds, connections } = context.options;
  const peer = await context.peer();
  const rows: Comparison[] = [];
  const job = { phase: 'access', seconds, connections, warmup: 2000 } as const;
  for (const protocol of ['protobuf', 'msgpack'] as const) {
    for (const merge of [true, false]) {
      const ours = await context.ours(protocol, 0, merge);
      for (const [n, setters] of [
        [0, 1],
        [1, 1],
        [3, 1],
        [10, 1],
        [0, 10],
      ] as const) {
        const config = { n, setters };
        const pairs = await context.alternate(
          () => measure(context, ours, { ...job, protocol, plugin: `bench-${protocol}`, config }),
          () => measure(context, peer, { ...job, protocol: 'msgpack', plugin: 'bench', config }),
        );
        const perSecond = ratios(
          pairs.ours.map((one) => one.perSecond),
          pairs.peer.map((one) => one.perSecond),
        );
        const how = merge ? 'merged' : 'each call by itself';
        const calls = `${framesOf(pairs.ours)} calls of ${framesOf(pairs.peer)}`;
        rows.push({
          name: `CPU per event, ${String(n)} getters and ${String(setters)} setters, ${protocol}, ${how} (${calls})`,
          unit: 'µs',
          ours: summarize(cpuOf(pairs.ours)),
          peer: summarize(cpuOf(pairs.peer)),
          ratio: ratios(cpuOf(pairs.peer), cpuOf(pairs.ours)),
          target: null,
          extra: {
            n,
            setters,
            protocol,
            merge: String(merge),
            perSecond: perSecond.median.toFixed(2),
            perSecondSpread: `${perSecond.min.toFixed(2)} to ${perSecond.max.toFixed(2)}`,
            oursPerSecond: summarize(pairs.ours.map((one) => one.perSecond)).median,
            peerPerSecond: summarize(pairs.peer.map((one) => one.perSecond)).median,
          },
        });
        context.say(JSON.stringify(rows.at(-1)));
      }
    }
  }
  return rows;
}
