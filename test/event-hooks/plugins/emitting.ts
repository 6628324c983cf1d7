import { definePlugin, eventHooks } from 'kong-ts';
import { z } from 'zod';

const seen = eventHooks.publish('emitting', 'seen', { fields: ['n', 'pid'], unique: ['n'] });

/** Emits one event per request. */
export default definePlugin({
  name: 'emitting',
  version: '1.0.0',
  priority: 10,
  config: z.object({ n: z.number().default(0) }),
  access(_kong, config) {
    seen.emit({ n: config.n, pid: process.pid });
  },
});
