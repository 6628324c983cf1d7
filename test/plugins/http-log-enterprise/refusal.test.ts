import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Running } from './support/instance.ts';
import { startInstance } from './support/instance.ts';
import type { Sink } from './support/sink.ts';
import { accept, startSink } from './support/sink.ts';

/** Configurations that Kong accepts and with which nothing can be sent: an error, and no record is lost. */

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start(config: object, dataDir?: string): Promise<Running> {
  const instance = await startInstance(
    { http_endpoint: 'http://127.0.0.1:1/', shutdown_grace: 0, ...config },
    { pluginId: '5f1d7e4c-0000-4000-8000-000000000001', ...(dataDir === undefined ? {} : { dataDir }) },
  );
  cleanUps.push(() => instance.close());
  return instance;
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'http-log-refusal-'));
  cleanUps.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function sink(): Promise<Sink> {
  const started = await startSink();
  cleanUps.push(() => started.close());
  return started;
}

const errors = ({ lines }: Running): string[] =>
  lines.filter(({ level }) => level === 'error').map(({ message }) => message);

describe('an instance that cannot send', () => {
  it.each<[string, object, RegExp]>([
    [
      'has credentials twice',
      { http_endpoint: 'http://hi:there@h/', headers: { AuthoRIZATion: 'bad' } },
      /specifying both an 'Authorization' header and user info in 'http_endpoint' is not allowed/,
    ],
    ['has no host', { http_endpoint: 'http:///p' }, /config.http_endpoint: missing host in url/],
    ['has another scheme', { http_endpoint: '1http://h' }, /the scheme '1http:' is not supported/],
    ['has a port that is none', { http_endpoint: 'http://h:99999/' }, /not a URL that can be connected to/],
    ['has a host with a space', { http_endpoint: 'http://a b/' }, /not a URL that can be connected to/],
    [
      'has a bad fail-over',
      { failover_endpoints: ['http://h/', 'file:///x'] },
      /failover_endpoints.2: missing host/,
    ],
    [
      'has a header name with other characters',
      { headers: { 'a b': 'x' } },
      /bad header name 'a b', allowed/,
    ],
    [
      'has a header value with a line break',
      { headers: { a: 'x\r\ny' } },
      /headers.a: a header value cannot contain/,
    ],
    [
      'has a header value with a control character',
      { headers: { a: 'x\x01' } },
      /headers.a: a header value cannot/,
    ],
    [
      'has a connection header that is none',
      { headers: { Connection: 'ä' } },
      /headers.Connection: expected close/,
    ],
    [
      'has a timeout below 0',
      { timeout: -1 },
      /config.timeout: bad timeout value -1, expected 0 to 2147483647/,
    ],
    [
      'has a timeout that nginx cannot keep',
      { timeout: 2 ** 31 },
      /config.timeout: bad timeout value 2147483648/,
    ],
    [
      'has a reference that is still one',
      { http_endpoint: '{vault://env/u}' },
      /'{vault:\/\/env\/u}' was not resolved/,
    ],
    ['has a header that is a reference', { headers: { t: '{vault://env/t}' } }, /headers.t: the reference/],
    [
      'has a reference that became empty',
      { http_endpoint: '' },
      /config.http_endpoint: is empty; if it is a reference/,
    ],
    ['has half of a client certificate', { client_key: 'x' }, /go together/],
    [
      'has a certificate that is none',
      { ca_certificate: 'no PEM', client_certificate: 'x', client_key: 'y' },
      /PEM/,
    ],
    [
      'has attributes in its Lua',
      { custom_fields_by_lua: { n: 'local x <const> = 1 return x' } },
      /n: Error parsing function/,
    ],
    [
      'divides integers in its Lua',
      { custom_fields_by_lua: { n: 'return 7 // 2' } },
      /n: Error parsing function/,
    ],
    [
      'has bit operators in its Lua',
      { custom_fields_by_lua: { n: 'return 1 & 2' } },
      /n: Error parsing function/,
    ],
    ['has bytecode for Lua', { custom_fields_by_lua: { n: '\x1bLJ\x02' } }, /n: Error parsing function/],
    [
      'breaks out of no loop in its Lua',
      { custom_fields_by_lua: { n: 'break' } },
      /n: Error parsing function/,
    ],
    ['has Lua that does not parse', { custom_fields_by_lua: { n: 'return +' } }, /n: Error parsing function/],
  ])('%s: it says so at level error and keeps the record', async (_, config, text) => {
    const data = await folder();
    const refused = await start(config, data);
    expect(errors(refused)).toEqual([expect.stringMatching(text)]);
    expect(errors(refused)[0]).toMatch(
      /its records are kept on disk, and sent once the configuration is mended/,
    );
    await refused.record('{"n":1}');
    await refused.close();
    expect(errors(refused)).toHaveLength(1);
    expect(refused.values.get('http_log_spooled_total')).toBe(1);

    const logs = await sink();
    await start({ http_endpoint: logs.url }, data);
    await logs.until(1);
    expect(logs.received.map(({ body }) => body)).toEqual(['{"n":1}']);
  });

  it('keeps a thousand records in order, filtered and redacted, in files that are for their owner alone', async () => {
    const data = await folder();
    const refused = await start(
      { timeout: -1, redaction: {}, filter: { statuses: ['5xx'] }, queue: { max_entries: 100 } },
      data,
    );
    for (let n = 0; n < 1000; n++) {
      await refused.record(
        JSON.stringify({
          n,
          request: { querystring: { apikey: 's3cret' } },
          response: { status: 500 + (n % 2) * -100 },
        }),
      );
    }
    await refused.close();
    const files = (await readdir(data, { recursive: true, withFileTypes: true })).filter((file) =>
      file.isFile(),
    );
    expect(files.length).toBeGreaterThan(0);
    for (const { parentPath, name } of files) {
      const file = join(parentPath, name);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect(await readFile(file, 'latin1')).not.toContain('s3cret');
    }
    const logs = await sink();
    await start({ http_endpoint: logs.url, connections: 1 }, data);
    await logs.until(500);
    const numbers = logs.received.map(({ body }) => (JSON.parse(body) as { n: number }).n);
    expect(numbers).toEqual(Array.from({ length: 500 }, (_, i) => 2 * i));
  });

  it('without a data directory keeps what the queue takes, and counts what it could not keep', async () => {
    const refused = await start({ timeout: -1, queue: { max_entries: 10 } });
    for (let n = 0; n < 15; n++) await refused.record(`{"n":${n}}`);
    expect(refused.values.get('http_log_dropped_total:queue_full')).toBe(5);
    await refused.close();
    expect(refused.values.get('http_log_dropped_total:shutdown')).toBe(10);
    expect(errors(refused)).toEqual([
      expect.stringMatching(/kept in memory, and lost when the server stops: serve it with --data-dir/),
      expect.stringMatching(/queue full/),
      expect.stringMatching(/stopped before everything was sent; records were lost/),
    ]);
  });
});

describe('odd values', () => {
  it.each(['/a/../b', '/./x', '//y', '/%2e%2e/z?a=/../b', '/p;q=1', '/a\\b', '/!$&\'()*+,;=:@~[]|^`{}"<>'])(
    'of a path: %s is sent as it is written',
    async (path) => {
      const logs = await sink();
      const instance = await start({ http_endpoint: `${logs.url}${path}` });
      await instance.record('{}');
      await logs.until(1);
      expect(logs.received[0]?.path).toBe(path);
    },
  );

  it.each([
    ['?q=1', '/?q=1'],
    ['', '/'],
    ['#f', '/'],
    ['/p?x=1#f', '/p?x=1'],
    ['/a b\u00e9', '/a%20b%C3%A9'],
    ['/end ', '/end'],
  ])('of a path: %j is sent as %s', async (path, sent) => {
    const logs = await sink();
    const instance = await start({ http_endpoint: `${logs.url}${path}` });
    await instance.record('{}');
    await logs.until(1);
    expect(logs.received[0]?.path).toBe(sent);
  });

  it('of a header leave in UTF-8', async () => {
    const logs = await sink();
    const instance = await start({ http_endpoint: logs.url, headers: { 'x-a': 'ä☃\tb' } });
    await instance.record('{}');
    await logs.until(1);
    expect(Buffer.from(String(logs.received[0]?.headers['x-a']), 'latin1').toString('utf8')).toBe('ä☃\tb');
  });

  it.each([0, -1])('of queue_size: %i is a batch of one in an array, as in http-log', async (size) => {
    const logs = await sink();
    const instance = await start({ http_endpoint: logs.url, queue_size: size });
    await instance.record('{"n":1}');
    await logs.until(1);
    expect(logs.received[0]?.body).toBe('[{"n":1}]');
  });

  it('of keepalive: below 0 an idle connection is closed', async () => {
    const logs = await sink();
    const connection = new Promise<Socket | null>((resolve) => {
      logs.answer = (request, response) => {
        resolve(response.socket);
        accept(request, response);
      };
    });
    const instance = await start({ http_endpoint: logs.url, keepalive: -5, connections: 1 });
    await instance.record('{}');
    const socket = await connection;
    if (socket?.closed === false) await once(socket, 'close');
    expect(socket?.closed).toBe(true);
  });
});
