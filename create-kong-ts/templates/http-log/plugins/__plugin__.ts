import { definePlugin, z } from 'kong-ts';

export default definePlugin({
  name: '__plugin__',
  version: '1.0.0',
  priority: 10,
  config: z.object({
    endpoint: z.string().startsWith('http').describe('Where records are sent to, as a JSON array'),
    batch_size: z.int().min(1).max(1000).default(20),
    flush_seconds: z.number().positive().default(1),
    queue_size: z.int().min(1).default(10_000).describe('Records that may wait; the oldest are dropped'),
    timeout_seconds: z.number().positive().default(5),
  }),
  phases: ['log'],

  setup({ config, log }) {
    const waiting: unknown[] = [];
    let dropped = 0;
    let timer: NodeJS.Timeout | null = null;
    let sending: Promise<void> = Promise.resolve();

    const flush = (): Promise<void> => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      // One batch after the other, so that records keep their order.
      sending = sending.then(async () => {
        while (waiting.length > 0) await send(waiting.splice(0, config.batch_size));
      });
      return sending;
    };

    const send = async (records: unknown[]): Promise<void> => {
      try {
        const response = await fetch(config.endpoint, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(records),
          redirect: 'error',
          signal: AbortSignal.timeout(config.timeout_seconds * 1000),
        });
        await response.arrayBuffer();
        if (!response.ok) throw new Error(`the endpoint answered ${String(response.status)}`);
      } catch (error) {
        // Here they are lost. http-log-enterprise, which comes with kong-ts, tries again and keeps them on disk.
        log.error('records were not sent', { records: records.length, reason: String(error) });
      }
    };

    return {
      async log(kong) {
        waiting.push(await kong.log.serialize());
        if (waiting.length > config.queue_size) {
          waiting.shift();
          dropped += 1;
          if (dropped === 1) log.warn('more records than can be sent: the oldest are dropped');
        }
        if (waiting.length >= config.batch_size) void flush();
        else timer ??= setTimeout(() => void flush(), config.flush_seconds * 1000);
      },
      /** A reload or the end: what waits is sent before. */
      async close() {
        await flush();
        if (dropped > 0) log.warn('records were dropped', { dropped });
      },
    };
  },
});
