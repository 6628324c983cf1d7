import { definePlugin, eventHooks, z } from 'kong-ts';

eventHooks.publish('quota', 'exceeded', { fields: ['consumer', 'limit'] });

/** Lets each consumer make a number of requests, as long as the plugin server lives. */
export default definePlugin({
  name: 'quota',
  version: '1.0.0',
  priority: 910,
  config: z.object({
    limit: z.number().int().min(1).default(100),
    header: z.string().default('x-quota-left'),
  }),
  phases: ['access', 'log'],
  setup({ config, metrics }) {
    const used = new Map<string, number>();
    const refused = metrics.counter('quota_refused_total', { help: 'Requests over the quota.' });
    return {
      async access(kong) {
        const consumer = await kong.client.getConsumer();
        if (consumer === null) return kong.response.error(401, 'Who are you?');
        const count = (used.get(consumer.id) ?? 0) + 1;
        used.set(consumer.id, count);
        if (count > config.limit) {
          refused.add();
          eventHooks.emit('quota', 'exceeded', { consumer: consumer.username, limit: config.limit });
          return kong.response.exit(429, { message: 'Quota exceeded' }, { 'retry-after': '3600' });
        }
        await kong.service.request.setHeader('x-consumer', consumer.username ?? consumer.id);
        await kong.response.setHeader(config.header, String(config.limit - count));
      },
      async log(kong) {
        const { response } = await kong.log.serialize();
        if (response?.status === 429) await kong.log.warn('quota exceeded');
      },
    };
  },
});
