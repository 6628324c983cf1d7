import { definePlugin, eventHooks, z } from 'kong-ts';

const changed = eventHooks.publish('audit', 'changed', {
  fields: ['consumer', 'ip', 'method', 'path', 'route', 'status'],
  unique: ['consumer', 'ip'],
  description: 'Somebody has changed something through the gateway',
});

/** Emits an event for every request that may change something. A hook brings it to whoever keeps the records. */
export default definePlugin({
  name: 'audit-event',
  version: '1.0.0',
  priority: 5,
  config: z.object({
    methods: z.array(z.string()).default(['POST', 'PUT', 'PATCH', 'DELETE']),
  }),

  async log(kong, { methods }) {
    // Without a hook on the event there is nothing to do.
    if (!changed.wants()) return;
    const record = await kong.log.serialize();
    const method = record.request?.method;
    if (method === undefined || !methods.includes(method)) return;
    changed.emit({
      consumer: record.consumer?.username ?? record.consumer?.id ?? null,
      ip: record.client_ip ?? null,
      method,
      // Without the query: it may hold tokens.
      path: record.request?.uri?.split('?')[0] ?? null,
      route: record.route?.name ?? null,
      status: record.response?.status ?? null,
    });
  },
});
