import { definePlugin } from 'kong-ts';
import { z } from 'zod';

/** Its setup throws, or never ends, as its configuration says. */
export default definePlugin({
  name: 'unwilling',
  version: '1.0.0',
  priority: 10,
  config: z.object({
    setup: z.enum(['throws', 'works']).default('throws'),
    depth: z.number().max(3).default(1),
  }),
  phases: ['access', 'log'],
  setup({ config }) {
    if (config.setup === 'throws') throw new Error('no licence');
    return { access: () => undefined, log: () => undefined };
  },
});
