import { definePlugin } from 'kong-ts';

export default definePlugin({
  name: 'greeter-msgpack',
  version: '1.0.0',
  protocol: 'msgpack',
  async access(kong) {
    await kong.service.setRetries(2);
    await kong.service.request.setHeader(
      'x-greeting',
      `hi ${String(await kong.request.getHeader('x-name'))}`,
    );
  },
});
