import { existsSync } from 'node:fs';
import { definePlugin } from 'kong-ts';

/** Takes its time to load, as a plugin with a large model does: until the file SLOW_PLUGIN_GATE is there. */
const gate = process.env['SLOW_PLUGIN_GATE'];
while (gate !== undefined && !existsSync(gate)) await new Promise((resolve) => setTimeout(resolve, 10));

export default definePlugin({
  name: 'slow',
  version: '1.0.0',
  priority: 10,
  async access(kong) {
    await kong.response.setHeader('x-slow', String(process.pid));
  },
});
