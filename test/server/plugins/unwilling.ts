import { definePlugin } from 'kong-ts';
import { z } from 'zod';

/** Its setup throws, ends its worker or takes a while, as its configuration says. */
export default definePlugin({
  name: 'unwilling',
  version: '1.0.0',
  priority: 10,
  config: z.object({
    setup: z.enum(['throws', 'works', 'kills', 'waits']).default('throws'),
    depth: z.number().max(3).default(1),
  }),
  phases: ['access', 'log'],
  async setup({ config }) {
    if (config.setup === 'throws') throw new Error('no licence');
    if (config.setup === 'kills') process.abort();
    if (config.setup === 'waits') await new Promise((resolve) => setTimeout(resolve, 2000));
    return { access: () => undefined, log: () => undefined };
  },
});
