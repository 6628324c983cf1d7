import { ratios, summarize } from '../lib/statistics.ts';
import type { Comparison, Context } from '../lib/context.ts';

/** Resident memory of the whole server after 100,000 and after 1,000,000 events with one call each. */
export async function memory(context: Context, events = 1_000_000): Promise<Comparison[]> {
  const rows: Comparison[] = [];
  for (const protocol of ['protobuf', 'msgpack'] as const) {
    await context.reset();
    const ours = await context.ours(protocol);
    const job = {
      socket: ours.socket,
      protocol,
      plugin: `bench-${protocol}`,
      phase: 'access',
      config: { n: 1 },
      connections: context.options.connections,
      seconds: 600,
    } as const;
    await context.driver.run({ ...job, events: events / 10 });
    const early = ours.usage().rss / 1e6;
    await context.driver.run({ ...job, events: (events * 9) / 10 });
    const late = ours.usage().rss / 1e6;
    rows.push({
      name: `memory after ${String(events)} events against ${String(events / 10)}, ${protocol}`,
      unit: 'MB',
      ours: summarize([late]),
      peer: summarize([early]),
      ratio: ratios([late], [early]),
      target: '1.1 or less',
      extra: { 'second column': `after ${String(events / 10)} events` },
    });
    context.say(rows.at(-1)?.name ?? '');
  }
  await context.reset();
  return rows;
}
