import { measure } from '../lib/context.ts';
import type { Comparison, Context, Measured } from '../lib/context.ts';
import { cpuOf } from '../lib/servers.ts';
import type { ServerUnderTest } from '../lib/servers.ts';
import { ratios, summarize } from '../lib/statistics.ts';

interface Scaled extends Measured {
  /** The least and the most that a worker had to do, as parts of what an even share is. */
  least: number;
  most: number;
}

/** The server's CPU time per event with two and four workers against one; 3 calls, one by one, as under a real Kong. */
export async function scaling(context: Context): Promise<Comparison[]> {
  const rows: Comparison[] = [];
  for (const protocol of ['protobuf', 'msgpack'] as const) {
    const one = await context.ours(protocol, 1);
    for (const workers of [2, 4]) {
      const several = await context.ours(protocol, workers);
      // Each worker compiles for itself what it does often.
      const warm = { protocol, plugin: `bench-${protocol}`, phase: 'access', config: { n: 3 } } as const;
      await context.driver.run({ ...warm, socket: several.socket, seconds: 60, events: 30_000 * workers });
      if (workers === 2)
        await context.driver.run({ ...warm, socket: one.socket, seconds: 60, events: 30_000 });
      const run = (server: ServerUnderTest, count: number) => () => spread(context, server, protocol, count);
      const pairs = await context.alternate(run(several, workers), run(one, 1));
      const perEvent = (side: 'ours' | 'peer'): number[] => pairs[side].map(({ cpuPerEvent }) => cpuPerEvent);
      const least = summarize(pairs.ours.map((each) => each.least)).median;
      const most = summarize(pairs.ours.map((each) => each.most)).median;
      rows.push({
        name: `server CPU per event, ${String(workers)} workers against one, 3 calls, ${protocol}`,
        unit: 'µs',
        ours: summarize(perEvent('ours')),
        peer: summarize(perEvent('peer')),
        ratio: ratios(perEvent('ours'), perEvent('peer')),
        target: null,
        extra: {
          'second column': 'one worker',
          cpu: `workers' shares ${least.toFixed(2)} to ${most.toFixed(2)} of even`,
        },
      });
      context.say(rows.at(-1)?.name ?? '');
    }
  }
  return rows;
}

async function spread(
  context: Context,
  server: ServerUnderTest,
  protocol: 'protobuf' | 'msgpack',
  workers: number,
): Promise<Scaled> {
  const { seconds, connections } = context.options;
  const pids = server.pids();
  const before = new Map(pids.map((pid) => [pid, cpuOf(pid)]));
  const measured = await measure(context, server, {
    protocol,
    plugin: `bench-${protocol}`,
    phase: 'access',
    config: { n: 3 },
    connections,
    seconds,
    prices: 'nginx',
  });
  const spent = pids.map((pid) => cpuOf(pid) - (before.get(pid) ?? 0)).sort((a, b) => b - a);
  // The supervisor and the dispatcher of event hooks do nothing meanwhile.
  const ofWorkers = spent.slice(0, workers);
  const even = ofWorkers.reduce((sum, each) => sum + each, 0) / workers;
  return { ...measured, least: (ofWorkers.at(-1) ?? 0) / even, most: (ofWorkers[0] ?? 0) / even };
}
