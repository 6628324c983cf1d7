import { createHash } from 'node:crypto';
import { definePlugin, z } from 'kong-ts';

/** From 0 to below 100: the same for the same text, and spread evenly. */
const bucketOf = (text: string): number =>
  (createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32) * 100;

/** Sends a part of the clients to another upstream. A client stays where it is, also when the part grows. */
export default definePlugin({
  name: 'canary',
  version: '1.0.0',
  priority: 13,
  config: z.object({
    upstream: z.string().min(1).describe('Name of an upstream in Kong'),
    percent: z.number().min(0).max(100).default(5),
  }),
  phases: ['access'],
  setup({ config, instance, log, metrics }) {
    const sent = metrics.counter('canary_requests_total', {
      help: 'Requests by where they went.',
      labels: ['to'],
    });
    return {
      async access(kong) {
        // Not a header of the client's choice: nobody can pick the canary, or get out of it.
        const consumer = await kong.client.getConsumer();
        const who = consumer?.id ?? (await kong.client.getForwardedIp());
        const isCanary = bucketOf(`${instance.pluginId ?? ''} ${who}`) < config.percent;
        if (isCanary && !(await kong.service.setUpstream(config.upstream))) {
          log.error('there is no such upstream: the request goes where all go', {
            upstream: config.upstream,
          });
          return;
        }
        sent.add(1, { to: isCanary ? 'canary' : 'stable' });
      },
    };
  },
});
