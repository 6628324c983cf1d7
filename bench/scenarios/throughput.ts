import type { ServerUnderTest } from '../lib/servers.ts';
import type { Comparison, Context } from '../lib/context.ts';
import { measure, throughputRow } from '../lib/context.ts';

const targets = new Map([
  [0, '1.4'],
  [1, '1.4'],
  [3, '2.2'],
  [10, '3'],
]);

/** Events per second with 0, 1, 3 and 10 getters and one setter, in access; then one serialize in log. */
export async function throughput(context: Context): Promise<Comparison[]> {
  const rows: Comparison[] = [];
  const { seconds, connections } = context.options;
  const peer = await context.peer();
  for (const protocol of ['protobuf', 'msgpack'] as const) {
    const ours = await context.ours(protocol);
    const plugin = `bench-${protocol}`;
    for (const burst of protocol === 'protobuf' ? [false, true] : [false]) {
      for (const n of [0, 1, 3, 10]) {
        if (burst && n < 3) continue;
        const job = { phase: 'access', seconds, connections, warmup: 500 } as const;
        const pairs = await context.alternate(
          () => measure(context, ours, { ...job, protocol, plugin, config: { n, burst } }),
          () => measure(context, peer, { ...job, protocol: 'msgpack', plugin: 'bench', config: { n } }),
        );
        const style = burst ? 'started together' : 'one by one';
        rows.push(
          throughputRow(`access, ${String(n)} calls, ${style}, ${protocol}`, pairs, targets.get(n) ?? null, {
            n,
            protocol,
            burst: String(burst),
          }),
        );
        context.say(rows.at(-1)?.name ?? '');
      }
    }
    const job = { phase: 'log', seconds, connections, warmup: 500 } as const;
    const pairs = await context.alternate(
      () => measure(context, ours, { ...job, protocol, plugin }),
      () => measure(context, peer, { ...job, protocol: 'msgpack', plugin: 'bench' }),
    );
    rows.push(throughputRow(`log, one serialize, ${protocol}`, pairs, null));
    context.say(rows.at(-1)?.name ?? '');
  }
  rows.push(await mixed(context, peer));
  context.say(rows.at(-1)?.name ?? '');
  return rows;
}

/** Plugins of both protocols on one socket: a command of one follows the answer to the other on the same connection. */
async function mixed(context: Context, peer: ServerUnderTest): Promise<Comparison> {
  const { seconds, connections } = context.options;
  const ours = await context.ours('mixed');
  const job = { phase: 'access', seconds, connections, warmup: 500, config: { n: 3 } } as const;
  const plugin = ['bench-msgpack', 'bench-protobuf'] as const;
  const pairs = await context.alternate(
    () => measure(context, ours, { ...job, protocol: 'mixed', plugin }),
    () => measure(context, peer, { ...job, protocol: 'msgpack', plugin: 'bench' }),
  );
  return throughputRow('access, 3 calls, one by one, both protocols on one socket', pairs, null);
}
