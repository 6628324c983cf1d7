import { definePlugin } from 'kong-ts';
import { z } from 'zod';

/** Well-behaved; `wait` lets an event take its time. */
export default definePlugin({
  name: 'steady',
  version: '1.0.0',
  priority: 10,
  config: z.object({ wait: z.number().default(0) }),
  async access(kong, config) {
    await kong.request.getMethod();
    if (config.wait > 0) await new Promise((resolve) => setTimeout(resolve, config.wait));
    await kong.response.setHeader('x-steady', String(process.pid));
  },
});
