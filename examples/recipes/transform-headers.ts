import { definePlugin, z } from 'kong-ts';

const changes = z
  .object({
    remove: z.array(z.string().min(1)).default([]),
    set: z.record(z.string(), z.string()).default({}),
  })
  .prefault({});

/**
 * Takes headers away and sets others, towards the upstream and towards the client. What `set` names replaces every value
 * that was there, also what a client has sent.
 */
export default definePlugin({
  name: 'transform-headers',
  version: '1.0.0',
  priority: 800,
  config: z.object({ request: changes, response: changes }),

  async access(kong, { request: { remove, set }, response }) {
    const changesResponse = response.remove.length > 0 || Object.keys(response.set).length > 0;
    // With "Upgrade: websocket", Kong runs no response handler: nothing would be taken away.
    if (changesResponse && /^websocket$/i.test((await kong.request.getHeader('upgrade')) ?? ''))
      return kong.response.exit(400, { message: 'Upgrades are not possible here' });
    for (const name of remove) await kong.service.request.clearHeader(name);
    await kong.service.request.setHeaders(set);
  },

  // A response handler makes Kong hold the whole response back until it has run.
  async response(kong, { response: { remove, set } }) {
    for (const name of remove) await kong.response.clearHeader(name);
    await kong.response.setHeaders(set);
  },
});
