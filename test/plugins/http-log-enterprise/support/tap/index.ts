import { definePlugin, z } from 'kong-ts';

/** Sends the record that Kong gives in the log phase on as it is, beside http-log-enterprise. */
export default definePlugin({
  name: 'tap',
  version: '0.1.0',
  priority: 1,
  phases: ['log'],
  config: z.object({ to: z.string() }),
  onError: 'continue',
  setup: ({ config }) => ({
    async log(kong) {
      const raw: string | Uint8Array = await kong.log.serializeRaw();
      const body = typeof raw === 'string' ? Buffer.from(raw, 'utf8') : raw;
      await fetch(config.to, { method: 'POST', body: new Uint8Array(body) });
    },
  }),
});
