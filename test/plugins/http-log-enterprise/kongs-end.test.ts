import fc from 'fast-check';
import { Agent, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sandbox } from '../../../src/sandbox/index.ts';
import { freePort } from '../../support/free-port.ts';
import { exchange, KongsEnd } from './support/kongs-end.ts';
import type { Sink } from './support/sink.ts';
import { startSink } from './support/sink.ts';

/** http-log-enterprise in a server, with Kong's end of the socket in front of it. */

const kong = new KongsEnd();
const sinks: Sink[] = [];

async function sink(): Promise<Sink> {
  const started = await startSink();
  sinks.push(started);
  return started;
}

beforeAll(() => kong.start(), 60_000);
afterAll(async () => {
  await kong.close();
  for (const one of sinks) await one.close();
});

const service = (name: string, url: string) => ({
  name,
  url,
  retries: 1,
  routes: [{ name: `${name}-route`, paths: [`/${name}`], strip_path: false }],
});

/**
 * How many requests the story has with each number of workers: three teams in three rounds. More of them by hand:
 * `STORY_REQUESTS=9976 npx vitest run test/plugins/http-log-enterprise/kongs-end.test.ts -t 'nginx workers'`.
 */
const requestsOfStory = Number(process.env['STORY_REQUESTS'] ?? 270);
/** What waiting may take, in milliseconds. */
const patience = 20_000 + requestsOfStory * 10;

/** Sends a request on a kept connection. Resolves with the status. */
const request = (gateway: Sandbox, path: string, agent: Agent): Promise<number> =>
  new Promise((resolve, reject) => {
    get(`${gateway.proxyUrl}${path}`, { agent }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    }).on('error', reject);
  });

/** A record with the 14 digits that http-log writes of its longest number. */
const withDigits = (text: string): string =>
  text.replaceAll(
    /"balancer_start_ns":([^,}]+)/g,
    (_, number) => `"balancer_start_ns":${Number(number).toPrecision(14)}`,
  );

interface LogRecord {
  request: { uri: string };
}
const numbersIn = (bodies: readonly string[]): number[] =>
  bodies
    .flatMap((body) => JSON.parse(body) as LogRecord | LogRecord[])
    .map(({ request: { uri } }) => Number(/n=(\d+)/.exec(uri)?.[1]))
    .sort((a, b) => a - b);

describe('three teams, a log each, one webhook', () => {
  const teams = ['blue', 'green', 'red'] as const;
  /** One record a request, arrays, redacted records. */
  const formats = {
    blue: {},
    green: { queue: { max_batch_size: 20, max_coalescing_delay: 0.1 } },
    red: { redaction: {} },
  };

  it.each([2, 4])(
    'behind %i nginx workers, while gateway and server are reloaded: a record and an event per request',
    async (workers) => {
      const upstream = await sink();
      const webhook = await sink();
      const logs = { blue: await sink(), green: await sink(), red: await sink() };
      const gateway = await kong.gateway(workers, {
        services: teams.map((team) => ({
          ...service(team, upstream.url),
          plugins: [
            { name: 'http-log-enterprise', config: { ...formats[team], http_endpoint: logs[team].url } },
          ],
        })),
      });
      await kong.hook(webhook.url);
      await webhook.until(1); // the ping
      const agent = new Agent({ keepAlive: true, maxSockets: 8 });
      /** Of the first requests of the story, those of each team. */
      const share = (count: number, at: number): number => Math.ceil((count - at) / teams.length);
      const logged = async (count: number): Promise<void> => {
        for (const [at, team] of teams.entries()) {
          const expected = Array.from({ length: share(count, at) }, (_, n) => n);
          await expect
            .poll(() => numbersIn(logs[team].received.map(({ body }) => body)), { timeout: patience })
            .toEqual(expected);
        }
      };
      const reloads = [
        () => Promise.resolve(),
        () => gateway.reload(),
        () => Promise.resolve(kong.reloadServer()),
      ];
      let sent = 0;
      for (const [round, reload] of reloads.entries()) {
        const until = Math.floor((requestsOfStory * (round + 1)) / reloads.length);
        const answers = Array.from({ length: until - sent }, (_, i) => {
          const n = sent + i;
          return request(gateway, `/${teams[n % 3]}?n=${Math.floor(n / 3)}`, agent);
        });
        sent = until;
        await reload();
        expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
        // The old nginx worker goes after three seconds: the first records have made the server warm.
        if (round === 0) await logged(sent);
      }
      agent.destroy();
      await logged(requestsOfStory);
      const routes = () =>
        webhook.received
          .map(({ body }) => JSON.parse(body) as { event: string; route?: { name: string } })
          .filter(({ event }) => event === 'log')
          .map(({ route }) => route?.name ?? '');
      await expect.poll(() => routes().length, { timeout: patience }).toBe(requestsOfStory);
      for (const [at, team] of teams.entries())
        expect(routes().filter((name) => name === `${team}-route`)).toHaveLength(share(requestsOfStory, at));
      expect(await kong.numbers('http_log_dropped_total')).toEqual([]);
    },
    3 * patience,
  );
});

describe('a record', () => {
  const statuses = [200, 201, 204, 206, 301, 304, 400, 404, 418, 429, 500, 503, 599];
  const odd = fc.constantFrom(
    'a=1',
    'a=1&a=2&a',
    'flag',
    'b=%20+x',
    'c=%C3%A9',
    'd=%ff%zz',
    'e[]=1&e[a]=2',
    '=x&&y=',
    'f="<>\\^`{|}',
    Array.from({ length: 120 }, (_, i) => `k${i}=${i}`).join('&'),
    'g=123456789012345678901234567890',
  );
  const header = fc.constantFrom(
    'X-A: 1\r\nX-A: 2',
    'X-Empty:',
    'X-High: caf\xc3\xa9 \xff',
    'X-Quote: "\\/',
    'X_Under: u',
    'X-Tab: a\tb',
    `X-Long: ${'l'.repeat(3000)}`,
    'X-Number: 1.79528209910306789e+18',
    'X-Json: :12345678901234567,',
    'Referer: http://x/?apikey=k',
    'Cookie: s=1',
    'Authorization: Basic dTpw',
    'User-Agent:',
  );
  const requests = fc.tuple(
    fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND'),
    fc.constantFrom(...statuses),
    fc.constantFrom('', '/a%20b', '//c', '/%C3%A9', '/./d/..'),
    odd,
    fc.array(header, { maxLength: 4 }),
    fc.constantFrom('1.1', '1.1', '1.0'),
    fc.constantFrom('', 'body', 'x'.repeat(10_000)),
  );

  it('of any status, method, protocol, header and query leaves as Kong gave it, but for digits beyond the 14th', async () => {
    const upstream = await sink();
    const logs = await sink();
    const taps = await sink();
    upstream.answer = ({ path }, response) => {
      response.writeHead(Number(/\/s(\d+)/.exec(path)?.[1] ?? 200), { 'x-up': ['1', '2'] }).end();
    };
    const gateway = await kong.gateway(2, {
      services: [service('up', upstream.url), service('dead', `http://127.0.0.1:${await freePort()}`)],
      plugins: [
        { name: 'http-log-enterprise', config: { http_endpoint: logs.url, redaction: null } },
        { name: 'tap', config: { to: taps.url } },
      ],
    });
    const given = fc.sample(requests, { numRuns: 120, seed: 13 });
    const send = (
      [method, status, path, query, headers, version, body]: (typeof given)[number],
      n: number,
    ) => {
      const where = n % 20 === 0 ? '/dead' : '/up';
      const head = [
        `${method} ${where}/s${status}${path}?n=${n}&${query} HTTP/${version}`,
        'Host: h.test',
        ...headers,
      ];
      if (body !== '') head.push(`Content-Length: ${body.length}`);
      const url = (n % 3 === 0 ? gateway.proxyTlsUrl : gateway.proxyUrl) ?? '';
      return exchange(url, `${[...head, 'Connection: close', '', ''].join('\r\n')}${body}`);
    };
    const answers: string[] = [];
    for (let from = 0; from < given.length; from += 8)
      answers.push(...(await Promise.all(given.slice(from, from + 8).map((one, i) => send(one, from + i)))));
    expect(new Set(answers.map((line) => line.split(' ')[1])).size).toBeGreaterThan(statuses.length);
    await Promise.all([logs.until(given.length), taps.until(given.length)]);
    const byNumber = ({ received }: Sink): Map<string, string> =>
      new Map(received.map(({ body }) => [/n=(\d+)/.exec(body)?.[1] ?? body, withDigits(body)]));
    const [sent, kongs] = [byNumber(logs), byNumber(taps)];
    expect([sent.size, kongs.size]).toEqual([given.length, given.length]);
    for (const [n, record] of kongs) expect(sent.get(n)).toBe(record);
  }, 60_000);

  it('of a request that nginx refused leaves as Kong gave it', async () => {
    const logs = await sink();
    const taps = await sink();
    const gateway = await kong.gateway(1, {
      services: [service('up', logs.url)],
      plugins: [
        { name: 'http-log-enterprise', config: { http_endpoint: logs.url } },
        { name: 'tap', config: { to: taps.url } },
      ],
    });
    const refused = [
      [400, 'GET /up HTTP/1.1\r\nHost: a\r\nHost: b'],
      [400, 'GET /up HTTP/1.1'],
      [414, `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: a`],
      [501, 'POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip'],
      [505, 'GET /up HTTP/9.1\r\nHost: a'],
    ] as const;
    for (const [status, head] of refused)
      expect(await exchange(gateway.proxyUrl ?? '', `${head}\r\nConnection: close\r\n\r\n`)).toContain(
        ` ${status} `,
      );
    await Promise.all([logs.until(refused.length), taps.until(refused.length)]);
    const bodies = ({ received }: Sink): string[] => received.map(({ body }) => body).sort();
    expect(bodies(logs)).toEqual(bodies(taps));
    const statuses = bodies(logs).map(
      (body) => (JSON.parse(body) as { response: { status: number } }).response.status,
    );
    expect(statuses.sort()).toEqual(refused.map(([status]) => status));
  }, 60_000);

  it('of a stream, in TLS and without, leaves as Kong gave it', async () => {
    const echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    const logs = await sink();
    const taps = await sink();
    const protocols = ['tcp', 'tls'];
    const gateway = await kong.gateway(1, {
      services: [
        {
          name: 'echo',
          url: `tcp://127.0.0.1:${(echo.address() as AddressInfo).port}`,
          routes: [{ name: 'any', protocols, sources: [{ ip: '127.0.0.1' }] }],
          plugins: [
            { name: 'http-log-enterprise', protocols, config: { http_endpoint: logs.url } },
            { name: 'tap', protocols, config: { to: taps.url } },
          ],
        },
      ],
    });
    const [plain, tls] = gateway.streamPorts;
    expect(await exchange(`http://127.0.0.1:${plain}`, 'one', 3)).toBe('one');
    expect(await exchange(`https://127.0.0.1:${tls}`, 'two', 3)).toBe('two');
    await Promise.all([logs.until(2), taps.until(2)]);
    echo.close();
    const bodies = ({ received }: Sink): string[] => received.map(({ body }) => withDigits(body)).sort();
    expect(bodies(logs)).toEqual(bodies(taps));
    expect(bodies(logs).filter((body) => body.includes('"tls":{'))).toHaveLength(1);
  }, 60_000);

  it('shows the key that key-auth was told to hide, unless there is redaction', async () => {
    const upstream = await sink();
    const [plain, redacted] = [await sink(), await sink()];
    const route = (name: string, logs: Sink, config: object) => ({
      ...service(name, upstream.url),
      plugins: [
        { name: 'key-auth', config: { hide_credentials: true } },
        { name: 'http-log-enterprise', config: { http_endpoint: logs.url, ...config } },
      ],
    });
    const gateway = await kong.gateway(1, {
      services: [route('plain', plain, {}), route('redacted', redacted, { redaction: {} })],
      consumers: [{ username: 'alice', keyauth_credentials: [{ key: 'alice-secret' }] }],
    });
    for (const name of ['plain', 'redacted']) {
      const answer = await fetch(`${gateway.proxyUrl}/${name}?apikey=alice-secret&a=1`);
      expect(answer.status).toBe(200);
    }
    await Promise.all([plain.until(1), redacted.until(1)]);
    expect(upstream.received.map(({ path }) => path)).toEqual(['/plain?a=1', '/redacted?a=1']);
    expect(plain.received[0]?.body).toContain('"apikey":"alice-secret"');
    expect(redacted.received[0]?.body).not.toContain('alice-secret');
    expect(redacted.received[0]?.body).toContain('"apikey":"REDACTED"');
  }, 60_000);
});
