import { definePlugin } from 'kong-ts';
import { z } from 'zod';

/** n getters, then one setter: awaited one by one like the peer's, or started together where `burst` is set. */
export default definePlugin({
  name: 'bench-msgpack',
  version: '1.0.0',
  priority: 10,
  protocol: 'msgpack',
  config: z.object({ n: z.int().default(0), burst: z.boolean().default(false) }),
  async access(kong, config) {
    if (config.burst) {
      await Promise.all(Array.from({ length: config.n }, () => kong.request.getHeader('x-multi')));
    } else {
      for (let i = 0; i < config.n; i += 1) await kong.request.getHeader('x-multi');
    }
    await kong.response.setHeader('x-bench', '1');
  },
  async log(kong) {
    await kong.log.serializeRaw();
  },
});
