import { ratios, summarize } from '../lib/statistics.ts';
import type { Comparison, Context } from '../lib/context.ts';

/** Two workers against one, each a process under the supervisor; 3 calls, one by one. */
export async function scaling(context: Context): Promise<Comparison[]> {
  const rows: Comparison[] = [];
  for (const protocol of ['protobuf', 'msgpack'] as const) {
    const one = await context.ours(protocol, 1);
    const two = await context.ours(protocol, 2);
    const job = {
      protocol,
      plugin: `bench-${protocol}`,
      phase: 'access',
      config: { n: 3 },
      connections: context.options.connections,
      seconds: context.options.seconds,
      warmup: 500,
    } as const;
    const pairs = await context.alternate(
      () => context.driver.run({ ...job, socket: two.socket }),
      () => context.driver.run({ ...job, socket: one.socket }),
    );
    const perSecond = (side: 'ours' | 'peer'): number[] => pairs[side].map((outcome) => outcome.perSecond);
    rows.push({
      name: `two workers against one, 3 calls, ${protocol}`,
      unit: 'events/s',
      ours: summarize(perSecond('ours')),
      peer: summarize(perSecond('peer')),
      ratio: ratios(perSecond('ours'), perSecond('peer')),
      target: null,
      extra: { 'second column': 'one worker' },
    });
    context.say(rows.at(-1)?.name ?? '');
  }
  return rows;
}
