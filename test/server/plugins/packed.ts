import { appendFileSync, existsSync } from 'node:fs';
import { definePlugin } from 'kong-ts';
import { z } from 'zod';

/** Says where it waits, in a line of another file. */
async function gateOpens(gate: string): Promise<void> {
  for (let waits = 0; !existsSync(gate); waits++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (waits === 0) appendFileSync(`${gate}.waits`, `${String(process.pid)}\n`);
  }
}

/** Speaks MsgPack:1, several calls in each event, between which it waits until the file `gate` is there. */
export default definePlugin({
  name: 'packed',
  version: '1.0.0',
  priority: 10,
  protocol: 'msgpack',
  config: z.object({ gate: z.string().default('') }),
  async access(kong, config) {
    const method = await kong.request.getMethod();
    if (config.gate !== '') await gateOpens(config.gate);
    await kong.response.setHeader('x-method', method);
  },
});
