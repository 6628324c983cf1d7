import { appendFile } from 'node:fs/promises';
import { definePlugin } from 'kong-ts';
import { z } from 'zod';

/** Keeps what it logs in memory and writes it to a file when its configuration is given up. */
export default definePlugin({
  name: 'flushing',
  version: '1.0.0',
  priority: 10,
  config: z.object({ file: z.string() }),
  phases: ['access'],
  setup({ config }) {
    let events = 0;
    return {
      access() {
        events++;
      },
      async close() {
        await new Promise((resolve) => setTimeout(resolve, 100));
        await appendFile(config.file, `${events}\n`);
      },
    };
  },
});
