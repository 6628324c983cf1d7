import { appendFileSync } from 'node:fs';
import { definePlugin } from 'kong-ts';
import { z } from 'zod';

/** As `recording`, over MsgPack:1. */
export default definePlugin({
  name: 'packed-recording',
  version: '1.0.0',
  priority: 10,
  protocol: 'msgpack',
  config: z.object({ file: z.string() }),
  async log(kong, config) {
    appendFileSync(config.file, `${await kong.log.serializeRaw()}\n`);
  },
});
