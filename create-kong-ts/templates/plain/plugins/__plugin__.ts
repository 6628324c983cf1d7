import { definePlugin, z } from 'kong-ts';

export default definePlugin({
  name: '__plugin__',
  version: '1.0.0',
  priority: 100,
  config: z.object({
    greeting: z.string().min(1).default('Hello').describe('What to say before the name'),
  }),

  async access(kong, config) {
    const name = await kong.request.getQueryArg('name');
    // An argument without a value is true: ?name
    if (name === true) return kong.response.exit(400, { message: 'A name, please: ?name=Ada' });
    await kong.service.request.setHeader('x-greeting', `${config.greeting}, ${name ?? 'world'}!`);
    await kong.response.setHeader('x-served-by', '__plugin__');
  },
});
