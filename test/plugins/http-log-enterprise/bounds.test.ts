import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compileFilter } from '../../../plugins/http-log-enterprise/record/filter.ts';
import { JsonObject } from '../../../plugins/http-log-enterprise/record/document.ts';
import { startInstance } from './support/instance.ts';
import type { Sink } from './support/sink.ts';
import { accept, startSink } from './support/sink.ts';

let sink: Sink;
let dataDir = '';
beforeEach(async () => {
  sink = await startSink();
  dataDir = await mkdtemp(join(tmpdir(), 'http-log-bounds-'));
});
afterEach(async () => {
  await sink.close();
  await rm(dataDir, { recursive: true, force: true });
});

const queue = { max_entries: 5, initial_retry_delay: 0.01, max_retry_delay: 0.02 };
const texts = (count: number) => Array.from({ length: count }, (_, n) => `{"n":${n}}`);

describe('when the destination is down for longer than the queue is', () => {
  it('records go to disk and come back, none lost, none twice', async () => {
    const delivered: string[] = [];
    let down = true;
    sink.answer = (request, response) => {
      if (down) {
        response.writeHead(503).end();
        return;
      }
      delivered.push(request.body);
      accept(request, response);
    };
    const log = await startInstance({ http_endpoint: sink.url, queue }, { dataDir });
    for (const text of texts(60)) await log.record(text);
    down = false;
    await expect.poll(() => delivered.length, { timeout: 10_000 }).toBe(60);
    expect([...delivered].sort()).toEqual(texts(60).sort());
    expect(log.values.get('http_log_spooled_total')).toBe(60);
    expect([...log.values.keys()].filter((name) => name.includes('dropped'))).toEqual([]);
    await log.close();
  });

  it('a batch that never fills up because memory is bounded is sent all the same', async () => {
    const config = {
      http_endpoint: sink.url,
      queue: { max_batch_size: 100_000, max_coalescing_delay: 600, max_entries: 100_000 },
    };
    const log = await startInstance(config, { dataDir });
    const long = JSON.stringify({ text: 'x'.repeat(100_000) });
    for (let n = 0; n < 120; n++) await log.record(long);
    await expect.poll(() => sink.received.length, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(sink.received[0]?.body.length).toBeLessThan(9_000_000);
    await log.close();
    const records = sink.received.flatMap(({ body }) => JSON.parse(body) as object[]);
    expect(records).toHaveLength(120);
  });

  it('a data directory that cannot be used costs no record', async () => {
    const file = join(dataDir, 'file');
    await writeFile(file, '');
    const log = await startInstance({ http_endpoint: sink.url }, { dataDir: file });
    await log.record('{"n":1}');
    await sink.until(1);
    expect(log.lines.map(({ message }) => message)).toEqual([
      expect.stringMatching(/the spool cannot be opened: .*ENOTDIR.*kept in memory only/),
    ]);
    await log.close();
  });

  it('drop_oldest drops as Kong does, counted, with one line per interval', async () => {
    sink.answer = (_request, response) => response.writeHead(503).end();
    const config = { http_endpoint: sink.url, queue, spool: { overflow: 'drop_oldest' }, shutdown_grace: 0 };
    const log = await startInstance(config, { dataDir, pluginId: 'p' });
    for (const text of texts(60)) await log.record(text);
    const dropped = log.values.get('http_log_dropped_total:queue_full') ?? 0;
    expect(dropped).toBeGreaterThan(40);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    await log.close();
    sink.received.length = 0;
    sink.answer = accept;
    const next = await startInstance(config, { dataDir, pluginId: 'p' });
    await expect.poll(() => sink.received.length).toBe(60 - dropped);
    expect(sink.received.map(({ body }) => body)).toContain('{"n":59}');
    await next.close();
  });

  it('without a data directory what is left at the stop is counted as lost', async () => {
    sink.answer = (_request, response) => response.writeHead(503).end();
    const log = await startInstance({ http_endpoint: sink.url, shutdown_grace: 0 });
    for (const text of texts(3)) await log.record(text);
    await log.close();
    expect(log.values.get('http_log_dropped_total:shutdown')).toBe(3);
  });

  it('a stop delivers what is queued when the destination takes it', async () => {
    const config = { http_endpoint: sink.url, queue: { max_batch_size: 100, max_coalescing_delay: 600 } };
    const log = await startInstance(config);
    for (const text of texts(3)) await log.record(text);
    await log.close();
    expect(sink.received.map(({ body }) => body)).toEqual([`[${texts(3).join(',')}]`]);
  });
});

describe('records', () => {
  it('arrive as they were, whether they wait in memory or on disk, are sent at once or tried again', async () => {
    const delivered: string[] = [];
    let count = 0;
    sink.answer = (request, response) => {
      count += 1;
      if (count % 3 === 0 || count < 20) {
        response.writeHead(503).end();
        return;
      }
      delivered.push(...(JSON.parse(request.body) as unknown[]).map((record) => JSON.stringify(record)));
      accept(request, response);
    };
    const config = {
      http_endpoint: sink.url,
      shutdown_grace: 30,
      queue: { ...queue, max_entries: 300, max_batch_size: 20, max_coalescing_delay: 0.01 },
    };
    const log = await startInstance(config, { dataDir });
    const records = Array.from({ length: 2000 }, (_, n) =>
      JSON.stringify({ n, text: String.fromCharCode(97 + (n % 26)).repeat(500 + ((n * 37) % 1500)) }),
    );
    for (let n = 0; n < records.length; n += 16)
      await Promise.all(records.slice(n, n + 16).map((text) => log.record(text)));
    await expect.poll(() => delivered.length, { timeout: 20_000 }).toBe(records.length);
    expect([...delivered].sort()).toEqual([...records].sort());
    await log.close();
  });
});

describe('filters', () => {
  const record = (fields: object) => new JsonObject(JSON.stringify(fields));
  const passes = (filter: object, fields: object, random = 0.5) =>
    compileFilter({ sample_rate: 1, ...filter }, () => random)?.(record(fields)) ?? true;

  it('know entities by name or id', () => {
    const fields = { route: { id: 'r1', name: 'orders' }, consumer: { username: 'alice', custom_id: 'c-1' } };
    expect(passes({ routes: ['orders'] }, fields)).toBe(true);
    expect(passes({ routes: ['r1'], consumers: ['c-1'] }, fields)).toBe(true);
    expect(passes({ services: ['orders'] }, fields)).toBe(false);
    expect(passes({ exclude_consumers: ['alice'] }, fields)).toBe(false);
    expect(passes({ exclude_consumers: ['bob'] }, fields)).toBe(true);
  });

  it.each(['route', 'service', 'consumer'] as const)('take and leave each %s', (entity) => {
    const name = entity === 'consumer' ? 'username' : 'name';
    const orders = { [entity]: { id: '1', [name]: 'orders' } };
    const others = { [entity]: { id: '2', [name]: 'others' } };
    for (const listed of ['orders', '1']) {
      const only = { [`${entity}s`]: [listed] };
      expect([passes(only, orders), passes(only, others), passes(only, {})]).toEqual([true, false, false]);
      const never = { [`exclude_${entity}s`]: [listed] };
      expect([passes(never, orders), passes(never, others), passes(never, {})]).toEqual([false, true, true]);
    }
  });

  it('read the status of streams too', () => {
    expect(passes({ statuses: ['5xx'] }, { session: { status: 502 } })).toBe(true);
    expect(passes({ statuses: ['5xx'] }, {})).toBe(false);
  });

  it('sample', () => {
    expect(passes({ sample_rate: 0.25 }, {}, 0.2)).toBe(true);
    expect(passes({ sample_rate: 0.25 }, {}, 0.3)).toBe(false);
  });
});
