import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { definePlugin } from 'kong-ts';
import { z } from 'zod';

/** Says where it waits, in a line of another file. */
async function gateOpens(gate: string): Promise<void> {
  for (let waits = 0; !existsSync(gate); waits++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (waits === 0) appendFileSync(`${gate}.waits`, `${String(process.pid)}\n`);
  }
}

/** Ends the process before the handler can say a word, the first time. */
function dieOnce(file: string): void {
  if (file === '' || existsSync(file)) return;
  writeFileSync(file, '');
  process.kill(process.pid, 'SIGKILL');
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

/** Speaks MsgPack:1, several calls in each event, between which it waits until the file `gate` is there. */
export default definePlugin({
  name: 'packed',
  version: '1.0.0',
  priority: 10,
  protocol: 'msgpack',
  config: z.object({
    gate: z.string().default(''),
    /** Files that say that it has died there: at the beginning of the event, and at Kong's first answer. */
    dies: z
      .object({ atOnce: z.string().default(''), later: z.string().default('') })
      .default({ atOnce: '', later: '' }),
  }),
  async access(kong, config) {
    dieOnce(config.dies.atOnce);
    const method = await kong.request.getMethod();
    dieOnce(config.dies.later);
    if (config.gate !== '') await gateOpens(config.gate);
    await kong.response.setHeader('x-method', method);
  },
});
