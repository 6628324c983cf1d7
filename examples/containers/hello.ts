import { definePlugin, z } from 'kong-ts';

export default definePlugin({
  name: 'hello',
  version: '1.0.0',
  config: z.object({ greeting: z.string().default('Hello') }),
  async access(kong, config) {
    const name = await kong.request.getQueryArg('name');
    if (name === null) return kong.response.exit(400, { message: 'Tell me your name: ?name=...' });
    return kong.response.exit(200, { message: `${config.greeting}, ${String(name)}!` });
  },
});
