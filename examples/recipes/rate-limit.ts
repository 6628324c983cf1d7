import { isIPv6 } from 'node:net';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { definePlugin, z } from 'kong-ts';

/** A client has a whole /64 of IPv6 addresses: they count as one. */
function network(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address;
  const [front = '', back] = address.toLowerCase().split('::');
  const groups = front === '' ? [] : front.split(':');
  const after = back === undefined || back === '' ? [] : back.split(':');
  while (back !== undefined && groups.length + after.length < 8) groups.push('0');
  return `${[...groups, ...after]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/**
 * Counts requests in fixed windows. All workers of the server share the count in one SQLite file below `--data-dir`, and
 * so does the next server. Requests fail while the file cannot be written.
 */
export default definePlugin({
  name: 'rate-limit',
  version: '1.0.0',
  priority: 910,
  config: z.object({
    limit: z.number().int().min(1),
    seconds: z.number().int().min(1).default(60),
  }),
  phases: ['access'],
  setup({ config, instance, dataDir }) {
    if (dataDir === null)
      throw new Error('rate-limit shares its count in a file: start the server with --data-dir');
    const database = new DatabaseSync(path.join(dataDir, 'rate-limit.db'));
    // Counts may be lost with the power: nothing waits for the disk.
    database.exec('PRAGMA busy_timeout = 500; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
    database.exec(
      'CREATE TABLE IF NOT EXISTS used (who TEXT, ends INTEGER, count INTEGER, PRIMARY KEY (who, ends)) WITHOUT ROWID',
    );
    const add = database.prepare(
      'INSERT INTO used VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count',
    );
    const forget = database.prepare('DELETE FROM used WHERE ends < ?');
    const sweep = setInterval(() => forget.run(Math.floor(Date.now() / 1000)), 60_000).unref();

    return {
      async access(kong) {
        const consumer = await kong.client.getConsumer();
        // Behind a proxy, Kong has to know it by trusted_ips. Otherwise all clients have the proxy's address.
        const who = consumer?.id ?? network(await kong.client.getForwardedIp());
        const now = Date.now() / 1000;
        const ends = (Math.floor(now / config.seconds) + 1) * config.seconds;
        const row = add.get(`${instance.pluginId ?? ''} ${who}`, ends) as { count: number };
        const left = Math.max(0, config.limit - row.count);
        const reset = String(Math.ceil(ends - now));
        await kong.response.setHeaders({
          'ratelimit-limit': String(config.limit),
          'ratelimit-remaining': String(left),
          'ratelimit-reset': reset,
        });
        if (row.count <= config.limit) return;
        return kong.response.exit(429, { message: 'API rate limit exceeded' }, { 'retry-after': reset });
      },
      close() {
        clearInterval(sweep);
        database.close();
      },
    };
  },
});
