import { existsSync, writeFileSync } from 'node:fs';
import { definePlugin } from 'kong-ts';
import { z } from 'zod';

/**
 * Its setup throws, ends its worker or takes a while, as its configuration says: until the file `gate` is there, having
 * written the file `begun`.
 */
export default definePlugin({
  name: 'unwilling',
  version: '1.0.0',
  priority: 10,
  config: z.object({
    setup: z.enum(['throws', 'works', 'kills', 'waits']).default('throws'),
    depth: z.number().max(3).default(1),
    begun: z.string().default(''),
    gate: z.string().default(''),
  }),
  phases: ['access', 'log'],
  async setup({ config }) {
    if (config.setup === 'throws') throw new Error('no licence');
    if (config.setup === 'kills') process.abort();
    if (config.setup === 'waits') {
      writeFileSync(config.begun, '');
      while (!existsSync(config.gate)) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return { access: () => undefined, log: () => undefined };
  },
});
