import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { selfSigned } from '../../../src/sandbox/gateway/self-signed.ts';
import type { Running } from './support/instance.ts';
import { startInstance } from './support/instance.ts';
import type { Sink } from './support/sink.ts';
import { startSink } from './support/sink.ts';

/** Where Kong's http-log falls short (measured on Kong 3.9.3): each of these fails on a server that behaves like it. */

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function sink(...args: Parameters<typeof startSink>): Promise<Sink> {
  const started = await startSink(...args);
  cleanUps.push(() => started.close());
  return started;
}

async function instance(...args: Parameters<typeof startInstance>): Promise<Running> {
  const [config, options] = args;
  const running = await startInstance({ shutdown_grace: 0, ...config }, options);
  cleanUps.push(() => running.close());
  return running;
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'http-log-'));
  cleanUps.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

const record = '{"client_ip":"127.0.0.1","response":{"status":200}}';

describe('better than http-log', () => {
  it('1: sends several records at a time with batches of one', async () => {
    const target = await sink();
    const held: (() => void)[] = [];
    target.answer = (_request, response) => held.push(() => response.end());
    const log = await instance({ http_endpoint: target.url });
    for (let i = 0; i < 8; i++) await log.record(record);
    await target.until(8);
    expect(held).toHaveLength(8);
    for (const answer of held) answer();
  });

  it('2: keeps undelivered records over a restart', async () => {
    const dataDir = await folder();
    const target = await sink();
    target.answer = (_request, response) => response.writeHead(503).end();
    const config = { http_endpoint: target.url, shutdown_grace: 0 };
    const before = await startInstance(config, { dataDir, pluginId: 'p' });
    for (let i = 0; i < 5; i++) await before.record(`{"n":${i}}`);
    await before.close();
    target.received.length = 0;
    target.answer = (_request, response) => response.end();
    const after = await instance(config, { dataDir, pluginId: 'p' });
    await target.until(5);
    expect(target.received.map(({ body }) => body).sort()).toEqual([0, 1, 2, 3, 4].map((n) => `{"n":${n}}`));
    expect(after.values.get('http_log_recovered_total')).toBe(5);
  });

  it('3: understands percent signs in credentials', async () => {
    const target = await sink();
    const log = await instance({ http_endpoint: target.url.replace('//', '//user:pa%40ss%25@') });
    await log.record(record);
    await target.until(1);
    expect(target.received[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('user:pa@ss%').toString('base64')}`,
    );
  });

  it('4: keeps the query string of the endpoint', async () => {
    const target = await sink();
    const log = await instance({ http_endpoint: `${target.url}/log?q=1` });
    await log.record(record);
    await target.until(1);
    expect(target.received[0]?.path).toBe('/log?q=1');
  });

  it('5: verifies TLS certificates when asked, with an own authority', async () => {
    const { key, cert: certificate } = selfSigned();
    const target = await sink({ key, cert: certificate });
    const queue = { max_retry_time: -1 };
    const refusing = await instance({ http_endpoint: target.url, ssl_verify: true, queue });
    await refusing.record(record);
    await expect.poll(() => refusing.values.get('http_log_dropped_total:retry_time')).toBe(1);
    expect(target.received).toHaveLength(0);
    const trusting = await instance({
      http_endpoint: target.url.replace('127.0.0.1', 'localhost'),
      ssl_verify: true,
      ca_certificate: certificate,
      queue,
    });
    await trusting.record(record);
    await target.until(1);
    const like = await instance({ http_endpoint: target.url });
    await like.record(record);
    await target.until(2);
    expect(like.lines.some(({ message }) => message.includes('ssl_verify'))).toBe(true);
  });

  it('6: does not mix two configurations that differ in their headers only', async () => {
    const target = await sink();
    const a = await instance({ http_endpoint: target.url, headers: { 'x-team': 'a' } });
    const b = await instance({ http_endpoint: target.url, headers: { 'x-team': 'b' } });
    await Promise.all([a.record('{"team":"a"}'), b.record('{"team":"b"}')]);
    await target.until(2);
    expect(target.received.map(({ headers, body }) => `${String(headers['x-team'])}${body}`).sort()).toEqual([
      'a{"team":"a"}',
      'b{"team":"b"}',
    ]);
  });

  it('6: does not mix two configurations that differ in their queue only', async () => {
    const target = await sink();
    const pairs = { max_batch_size: 2, max_coalescing_delay: 60 };
    const a = await instance({ http_endpoint: target.url, queue: pairs });
    const b = await instance({ http_endpoint: target.url, queue: { ...pairs, max_batch_size: 3 } });
    for (const n of [1, 2, 3]) {
      if (n < 3) await a.record(`{"a":${n}}`);
      await b.record(`{"b":${n}}`);
    }
    await target.until(2);
    expect(target.received.map(({ body }) => body).sort()).toEqual([
      '[{"a":1},{"a":2}]',
      '[{"b":1},{"b":2},{"b":3}]',
    ]);
  });

  it('7: does not try again what cannot succeed, and says so', async () => {
    const target = await sink();
    target.answer = (_request, response) => response.writeHead(401).end('no such key');
    const log = await instance({ http_endpoint: target.url });
    await log.record(record);
    await expect.poll(() => log.values.get('http_log_dropped_total:refused')).toBe(1);
    expect(target.received).toHaveLength(1);
    expect(log.lines.at(-1)?.message).toMatch(/status code 401 and body no such key/);
  });

  it('7: waits for as long as Retry-After says', async () => {
    const target = await sink();
    const times: number[] = [];
    target.answer = (_request, response) => {
      times.push(performance.now());
      if (times.length > 1) response.end();
      else response.writeHead(429, { 'retry-after': '1' }).end();
    };
    const log = await instance({ http_endpoint: target.url });
    await log.record(record);
    await target.until(2);
    const [first = 0, second = 0] = times;
    expect(second - first).toBeGreaterThan(950);
  });

  it('8: compresses, and goes to another endpoint when one fails', async () => {
    const [first, second] = [await sink(), await sink()];
    first.answer = (_request, response) => response.writeHead(500).end();
    const log = await instance({
      http_endpoint: first.url,
      failover_endpoints: [second.url],
      compression: 'gzip',
    });
    await log.record(record);
    await second.until(1);
    expect(second.received[0]).toMatchObject({ body: record, headers: { 'content-encoding': 'gzip' } });
  });

  it('9: leaks no key of the query string when redaction is on', async () => {
    const target = await sink();
    const log = await instance({ http_endpoint: target.url, redaction: {} });
    await log.record(
      '{"request":{"uri":"/?apikey=secret","url":"http://a:8000/?apikey=secret","querystring":{"apikey":"secret"},' +
        '"headers":{"apikey":"secret","cookie":"sid=secret","x-api-key":"secret"}},' +
        '"response":{"headers":{"set-cookie":"sid=secret","location":"/x?access_token=secret"}},"upstream_uri":"/?apikey=secret"}',
    );
    await target.until(1);
    const body = target.received[0]?.body ?? '';
    expect(body).not.toContain('secret');
    expect(body.split('REDACTED')).toHaveLength(10);
  });

  it('10: filters by status and counts everything', async () => {
    const target = await sink();
    const log = await instance({ http_endpoint: target.url, filter: { statuses: ['5xx'] } });
    await log.record('{"response":{"status":200}}');
    await log.record('{"response":{"status":502}}');
    await target.until(1);
    expect(target.received.map(({ body }) => body)).toEqual(['{"response":{"status":502}}']);
    await expect.poll(() => log.values.get('http_log_sent_total')).toBe(1);
    expect(log.values.get('http_log_received_total')).toBe(2);
    expect(log.values.get('http_log_filtered_total')).toBe(1);
  });
});

it('a batch is the same bytes whatever the sink says of itself', async () => {
  const target = await sink();
  const log = await instance({
    http_endpoint: target.url,
    queue: { max_batch_size: 3, max_coalescing_delay: 60 },
  });
  const records = ['{"a":1.50}', '{"b":"é"}', '{"c":[]}'];
  for (const text of records) await log.record(text);
  await target.until(1);
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');
  expect(digest(target.received[0]?.body ?? '')).toBe(digest(`[${records.join(',')}]`));
});
