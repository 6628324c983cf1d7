import { definePlugin } from 'kong-ts';

/** Takes its time to load, as a plugin with a large model does. */
await new Promise((resolve) => setTimeout(resolve, Number(process.env['SLOW_PLUGIN_MS'] ?? '0')));

export default definePlugin({
  name: 'slow',
  version: '1.0.0',
  priority: 10,
  async access(kong) {
    await kong.response.setHeader('x-slow', String(process.pid));
  },
});
