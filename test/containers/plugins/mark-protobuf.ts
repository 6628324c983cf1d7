import { definePlugin, z } from 'kong-ts';

/** Sets a header to what its configuration says: who gets another configuration's value sees it. */
export default definePlugin({
  name: 'mark-protobuf',
  version: '1.0.0',
  protocol: 'protobuf',
  config: z.object({ value: z.string() }),
  async access(kong, config) {
    const method = await kong.request.getMethod();
    await kong.response.setHeader('x-mark', `${config.value} ${method}`);
  },
});
