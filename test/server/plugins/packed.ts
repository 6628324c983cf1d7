import { definePlugin } from 'kong-ts';

/** Speaks MsgPack:1, several calls in each event. */
export default definePlugin({
  name: 'packed',
  version: '1.0.0',
  priority: 10,
  protocol: 'msgpack',
  async access(kong) {
    const method = await kong.request.getMethod();
    await kong.response.setHeader('x-method', method);
  },
});
