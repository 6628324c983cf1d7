import { existsSync, writeFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { definePlugin } from 'kong-ts';
import { z } from 'zod';

/**
 * Keeps what it logs in memory and writes it to a file when its configuration is given up; with a `gate` not before that file is
 * there, and `GATE.waits` says so.
 */
export default definePlugin({
  name: 'flushing',
  version: '1.0.0',
  priority: 10,
  config: z.object({ file: z.string(), gate: z.string().default('') }),
  phases: ['access'],
  setup({ config }) {
    let events = 0;
    return {
      access() {
        events++;
      },
      async close() {
        await new Promise((resolve) => setTimeout(resolve, 100));
        if (config.gate !== '') writeFileSync(`${config.gate}.waits`, '');
        while (config.gate !== '' && !existsSync(config.gate))
          await new Promise((resolve) => setTimeout(resolve, 10));
        await appendFile(config.file, `${events}\n`);
      },
    };
  },
});
