import { existsSync } from 'node:fs';
import { definePlugin } from 'kong-ts';
import { z } from 'zod';

/** Well-behaved; an event takes `wait` milliseconds, or until the file `gate` is there. */
export default definePlugin({
  name: 'steady',
  version: '1.0.0',
  priority: 10,
  config: z.object({ wait: z.number().default(0), gate: z.string().default('') }),
  async access(kong, config) {
    await kong.request.getMethod();
    if (config.wait > 0) await new Promise((resolve) => setTimeout(resolve, config.wait));
    while (config.gate !== '' && !existsSync(config.gate))
      await new Promise((resolve) => setTimeout(resolve, 10));
    await kong.response.setHeader('x-steady', String(process.pid));
  },
});
