import { definePlugin } from 'kong-ts';
import { z } from 'zod';

const kept: Buffer[] = [];

/** Does what a plugin must not do, as its configuration says. */
export default definePlugin({
  name: 'wild',
  version: '1.0.0',
  priority: 10,
  config: z.object({ how: z.enum(['block', 'leak', 'exit', 'crash', 'throw', 'behave']).default('behave') }),
  log(_kong, config) {
    if (config.how === 'crash') process.kill(process.pid, 'SIGKILL');
  },
  access(_kong, config) {
    if (config.how === 'block') for (;;);
    if (config.how === 'leak') kept.push(Buffer.alloc(16 * 1024 * 1024, 1));
    if (config.how === 'exit') process.exit(3);
    if (config.how === 'crash') process.kill(process.pid, 'SIGKILL');
    if (config.how === 'throw') {
      setTimeout(() => {
        throw new Error('thrown where nobody catches');
      }, 0);
    }
  },
});
