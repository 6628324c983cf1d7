import { definePlugin, z } from 'kong-ts';

/** How many callers are remembered at most: what a client sends must not decide how much memory is used. */
const mostCallers = 10_000;

export default definePlugin({
  name: '__plugin__',
  version: '1.0.0',
  priority: 900,
  config: z.object({
    limit: z.int().min(1).default(5).describe('Requests of one consumer or address in a window'),
    window_seconds: z.int().min(1).default(60),
  }),
  // Kong asks for the phases before any configuration exists.
  phases: ['access'],

  /** Runs once for each configuration and worker; each worker counts for itself. */
  setup({ config, log }) {
    const callers = new Map<string, { count: number; until: number }>();
    return {
      async access(kong) {
        const [consumer, address] = await Promise.all([
          kong.client.getConsumer(),
          kong.client.getForwardedIp(),
        ]);
        const key = consumer?.id ?? address;
        const now = Date.now();
        const known = callers.get(key);
        const window =
          known !== undefined && known.until > now
            ? known
            : { count: 0, until: now + config.window_seconds * 1000 };
        window.count += 1;
        // The one that was heard of last stands at the end.
        callers.delete(key);
        callers.set(key, window);
        if (callers.size > mostCallers) callers.delete(callers.keys().next().value ?? key);

        const left = Math.max(0, config.limit - window.count);
        if (window.count > config.limit) {
          log.info('limited', { caller: key });
          const seconds = Math.ceil((window.until - now) / 1000);
          return kong.response.exit(
            429,
            { message: 'Too many requests' },
            { 'retry-after': String(seconds) },
          );
        }
        await kong.response.setHeader('x-requests-left', String(left));
      },
      close() {
        log.notice('stopped', { callers: callers.size });
      },
    };
  },
});
