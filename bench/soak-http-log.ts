/**
 * Soak of http-log-enterprise: records through queue, spool and sender, with the destination down for a while.
 *
 *   node --conditions=kong-ts-source bench/soak-http-log.ts [records=1000000] [batch=200]
 *
 * Prints resident memory on the way and fails (exit 1) when a record is neither delivered nor counted as dropped.
 * It drives the plugin as the server does, from the PDK call on; the socket in front of it is bench/'s other matter.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import plugin from '../plugins/http-log-enterprise/index.ts';
import { recordOf } from '../test/plugins/http-log-enterprise/support/records.ts';
import { memoryLog, memoryMetrics } from '../test/plugins/http-log-enterprise/support/instance.ts';

const total = Number(process.argv[2] ?? 1_000_000);
const batch = Number(process.argv[3] ?? 200);
const concurrency = 16;

const mark = '"client_ip"';
let delivered = 0;
let down = false;
const sink = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (down) {
      response.writeHead(503).end();
      return;
    }
    const body = Buffer.concat(chunks);
    for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, at + 1)) delivered += 1;
    response.end();
  });
});
sink.listen(0, '127.0.0.1');
await once(sink, 'listening');

const dataDir = await mkdtemp(join(tmpdir(), 'soak-http-log-'));
const { log, lines } = memoryLog();
const { metrics, values } = memoryMetrics();
const config = plugin.parseConfig({
  http_endpoint: `http://127.0.0.1:${(sink.address() as AddressInfo).port}/`,
  queue: { max_batch_size: batch, max_retry_delay: 0.5, initial_retry_delay: 0.05 },
  shutdown_grace: 120,
});
const instance = {
  pluginId: 'soak',
  workspaceId: null,
  routeId: null,
  serviceId: null,
  consumerId: null,
  seq: null,
  key: null,
};
const handlers = await plugin.setup({
  config,
  instance,
  log,
  metrics,
  dataDir,
  worker: { index: 0, count: 1 },
});

const record = recordOf('protobuf-log-phase').toString('utf8');
const kong = { log: { serializeRaw: async () => record } };
const write = (text: string) => process.stdout.write(`${text}\n`);
const memory = () => Math.round(process.memoryUsage().rss / 1e6);
const started = performance.now();
let next = 0;
async function client(): Promise<void> {
  while (next < total) {
    const n = next++;
    if (n === Math.floor(total * 0.3)) down = true;
    if (n === Math.floor(total * 0.4)) down = false;
    if (n % Math.ceil(total / 10) === 0) write(`${n} records, ${memory()} MB, ${delivered} delivered`);
    await handlers.phases.log?.(kong, config);
    // One turn per record, as a socket would have it.
    if (n % concurrency === 0) await new Promise(setImmediate);
  }
}
await Promise.all(Array.from({ length: concurrency }, client));
const accepted = performance.now();
await handlers.close?.();
const finished = performance.now();
sink.closeAllConnections();
sink.close();
await rm(dataDir, { recursive: true, force: true });

const dropped = [...values].filter(([name]) => name.includes('dropped')).reduce((sum, [, n]) => sum + n, 0);
write(
  `${total} records: accepted ${Math.round(total / ((accepted - started) / 1000))}/s, ` +
    `delivered ${Math.round(total / ((finished - started) / 1000))}/s, ${delivered} delivered, ${dropped} dropped, ` +
    `${values.get('http_log_retried_total') ?? 0} retried, ${memory()} MB at the end`,
);
for (const line of lines.slice(0, 5)) write(`${line.level}: ${line.message.slice(0, 200)}`);
if (delivered + dropped < total) {
  write(`${total - delivered - dropped} records are missing`);
  process.exitCode = 1;
}
