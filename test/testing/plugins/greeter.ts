import { definePlugin, z } from 'kong-ts';

export default definePlugin({
  name: 'greeter',
  version: '1.0.0',
  config: z.object({ greeting: z.string().default('hello') }),
  async access(kong, config) {
    const [name, id] = await Promise.all([kong.request.getHeader('x-name'), kong.plugin.getId()]);
    if (name === null) await kong.response.exit(401, { message: 'who are you?' });
    await kong.service.request.setHeader('x-greeting', `${config.greeting} ${String(name)}`);
    await kong.log.notice('greeted by ', id);
  },
  async log(kong) {
    await kong.log.info('status ', (await kong.log.serialize()).response?.status ?? 0);
  },
});
