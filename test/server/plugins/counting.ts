import { appendFile } from 'node:fs/promises';
import { definePlugin } from 'kong-ts';
import { z } from 'zod';

/** Counts its events in a metric of its own and writes to a file when it is set up and given up. */
export default definePlugin({
  name: 'counting',
  version: '1.0.0',
  priority: 10,
  config: z.object({ file: z.string() }),
  phases: ['access'],
  async setup({ config, metrics }) {
    const counted = metrics.counter('counting_events_total', { help: 'Events.' });
    metrics.gauge('counting_depth', { help: 'Depth.', collect: () => 7 });
    await appendFile(config.file, 'setup\n');
    return {
      access() {
        counted.add();
      },
      async close() {
        await appendFile(config.file, 'close\n');
      },
    };
  },
});
