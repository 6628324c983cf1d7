import { definePlugin, z } from 'kong-ts';

/** Shows the environment variables that it is asked for. */
export default definePlugin({
  name: 'variables',
  version: '1.0.0',
  priority: 10,
  environment: ['CONTAINER_SECRET'],
  config: z.object({}),
  access: async (kong) => {
    for (const name of ['CONTAINER_SECRET', 'CONTAINER_OTHER'])
      await kong.response.setHeader(
        `x-${name.toLowerCase().replaceAll('_', '-')}`,
        process.env[name] ?? 'none',
      );
  },
});
