import { appendFileSync } from 'node:fs';
import { definePlugin } from 'kong-ts';
import { z } from 'zod';

/** Writes every log record to a file before its event ends; counts its setups in another. */
export default definePlugin({
  name: 'recording',
  version: '1.0.0',
  priority: 10,
  config: z.object({ file: z.string() }),
  phases: ['log'],
  setup({ config }) {
    appendFileSync(`${config.file}.setups`, '.');
    return {
      async log(kong) {
        appendFileSync(config.file, `${await kong.log.serializeRaw()}\n`);
      },
    };
  },
});
