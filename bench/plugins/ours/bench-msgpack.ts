import { definePlugin } from 'kong-ts';
import { z } from 'zod';

/** n getters of as many headers, then one setter: awaited one by one like the peer's, or started together where `burst` is set. */
export default definePlugin({
  name: 'bench-msgpack',
  version: '1.0.0',
  priority: 10,
  protocol: 'msgpack',
  config: z.object({ n: z.int().default(0), burst: z.boolean().default(false), setters: z.int().default(1) }),
  async access(kong, config) {
    if (config.burst) {
      await Promise.all(Array.from({ length: config.n }, (_, i) => kong.request.getHeader(`x-multi-${i}`)));
    } else {
      for (let i = 0; i < config.n; i += 1) await kong.request.getHeader(`x-multi-${i}`);
    }
    await kong.response.setHeader('x-bench', '1');
    for (let i = 1; i < config.setters; i += 1) await kong.response.setHeader(`x-bench-${i}`, '1');
  },
  async log(kong) {
    await kong.log.serializeRaw();
  },
});
