import { definePlugin, eventHooks, z } from 'kong-ts';

/** An operator subscribes to it: `npx kong-ts hooks create`, or over the Admin API of event hooks. */
const rejected = eventHooks.publish('__plugin__', 'rejected', {
  description: 'A request was rejected',
  fields: ['path', 'reason'],
  unique: ['path', 'reason'],
});

export default definePlugin({
  name: '__plugin__',
  version: '1.0.0',
  priority: 1000,
  config: z.object({
    blocked_prefixes: z.array(z.string().startsWith('/')).default(['/internal']),
  }),

  async access(kong, config) {
    const path = await kong.request.getPath();
    const prefix = config.blocked_prefixes.find((each) => path === each || path.startsWith(`${each}/`));
    if (prefix === undefined) return;
    // Without a subscription this costs next to nothing.
    rejected.emit({ path, reason: `${prefix} is not for clients` });
    return kong.response.exit(403, { message: 'Forbidden' });
  },
});
