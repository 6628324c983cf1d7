import { definePlugin } from 'kong-ts';
import { z } from 'zod';

const kept: number[][] = [];

/** Keeps about 200 bytes of every event: the mistake that the test has to notice. */
export default definePlugin({
  name: 'keeping',
  version: '1.0.0',
  protocol: 'protobuf',
  config: z.object({ n: z.int().default(0) }),
  async access(kong) {
    kept.push(Array.from({ length: 23 }, () => kept.length));
    await kong.response.setHeader('x-kept', String(kept.length));
  },
});
