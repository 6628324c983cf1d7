import { Pool } from 'undici';

/** Bare undici: the same POST again and again over a pool of connections, as fast as it goes. */
process.on(
  'message',
  ({ url, body, count, connections }: { url: string; body: string; count: number; connections: number }) => {
    const pool = new Pool(url, { connections });
    const payload = Buffer.from(body);
    let begun = 0;
    const run = async (): Promise<void> => {
      while (begun < count) {
        begun += 1;
        const response = await pool.request({
          method: 'POST',
          path: '/hook',
          headers: { 'content-type': 'application/json' },
          body: payload,
        });
        await response.body.dump();
      }
    };
    const start = performance.now();
    const before = process.cpuUsage();
    void Promise.all(Array.from({ length: connections * 2 }, run)).then(async () => {
      const seconds = (performance.now() - start) / 1000;
      await pool.close();
      const { user, system } = process.cpuUsage(before);
      process.send?.({ perSecond: count / seconds, cpu: (user + system) / count });
    });
  },
);

// Ends with the process that started it, whatever becomes of that one.
process.on('disconnect', () => process.exit(0));
