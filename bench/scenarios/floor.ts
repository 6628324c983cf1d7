import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measure, throughputRow } from '../lib/context.ts';
import type { Comparison, Context } from '../lib/context.ts';
import { ServerUnderTest } from '../lib/servers.ts';

const bare = fileURLToPath(new URL('../floor/msgpack.ts', import.meta.url));

/**
 * Three getters and a setter over MsgPack:1: a server without any logic against kong-pdk, and ours against kong-pdk. The
 * first ratio is what no server on Node can be above on this machine with this load generator.
 */
export async function floor(context: Context): Promise<Comparison[]> {
  const { seconds, connections } = context.options;
  const peer = await context.peer();
  const ours = await context.ours('msgpack', 1);
  const socket = join(context.folder, 'bare.socket');
  const server = await ServerUnderTest.start('bare', socket, [bare, socket]);
  const job = { phase: 'access', seconds, connections, warmup: 2000, config: { n: 3 } } as const;
  const theirs = () => measure(context, peer, { ...job, protocol: 'msgpack', plugin: 'bench' });
  try {
    const rows: Comparison[] = [];
    for (const [name, tested, plugin] of [
      ['a server without logic', server, 'bare'],
      ['kong-ts with one worker', ours, 'bench-msgpack'],
    ] as const) {
      const run = () => measure(context, tested, { ...job, protocol: 'msgpack', plugin });
      const pairs = await context.alternate(run, theirs);
      rows.push(throughputRow(`3 getters and a setter, MsgPack, ${name}`, pairs, '2.2'));
      context.say(JSON.stringify(rows.at(-1)));
    }
    return rows;
  } finally {
    await server.stop();
  }
}
