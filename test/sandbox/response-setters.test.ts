import { afterEach, describe, expect, test } from 'vitest';
import type { TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';
import { logRecord } from './support/log-record.ts';
import { getOnce, rawExchange, rawUpstream } from './support/raw-upstream.ts';
import type { Call } from './support/scripted-server.ts';

/** What nginx makes of the headers of an answer that a plugin sets (ngx_lua of Kong 3.9.3). */
let gateway: TestGateway;
afterEach(async () => gateway.close());

const protocols = ['protobuf', 'msgpack'] as const;
const upstreamAnswer = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nVia: 1.0 fred\r\n\r\nhello';

async function answerTo(
  calls: readonly Call[],
  options: { protocol?: 'protobuf' | 'msgpack'; phase?: 'access' | 'response'; headers?: string[] } = {},
): Promise<string> {
  const { protocol = 'msgpack', phase = 'access', headers = [] } = options;
  gateway = await testGateway({
    upstream: await rawUpstream(upstreamAnswer),
    protocol,
    phases: [phase, 'log'],
    script: { [phase]: calls, log: [['kong.log.serialize']] },
  });
  const logged = gateway.server.ended('log');
  const answer = await rawExchange(gateway.sandbox.proxyUrl ?? '', getOnce('/', ...headers));
  await logged;
  return answer;
}

describe.each(['access', 'response'] as const)('in %s', (phase) => {
  test.each([
    ['no number', ['abc']],
    ['a list with no number', [['3', 'abc']]],
    ['a negative number', ['-1']],
  ])('a Content-Length that is %s ends the request with 500', async (_what, [value]) => {
    for (const method of ['kong.response.set_header', 'kong.response.add_header']) {
      const text = await answerTo([[method, 'Content-Length', value]], { phase });
      expect(text).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
      await gateway.close();
    }
    const text = await answerTo([['kong.response.set_headers', { 'content-length': value }]], { phase });
    expect(text).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
  });

  test('a Via gives way to Kong’s', async () => {
    const text = await answerTo([['kong.response.set_header', 'Via', 'v']], { phase });
    expect(text.match(/^Via: .*$/gm)).toEqual([
      phase === 'access' ? 'Via: 1.0 fred, 1.1 kong/3.9.3' : 'Via: 1.1 kong/3.9.3',
    ]);
  });

  test('of a header that nginx has one of, the last value stays', async () => {
    const text = await answerTo(
      [
        ['kong.response.set_headers', { Location: ['/a', '/b'], 'WWW-Authenticate': ['A', 'B'] }],
        ['kong.response.set_header', 'Cache-Control', ['a', 'b']],
        ['kong.response.add_header', 'Location', '/c'],
      ],
      { phase },
    );
    expect(text.match(/^(Location|WWW-Authenticate|Cache-Control): .*$/gm)?.sort()).toEqual([
      'Cache-Control: a',
      'Cache-Control: b',
      'Location: /c',
      'WWW-Authenticate: B',
    ]);
  });

  test('underscores of a name are dashes', async () => {
    const text = await answerTo([['kong.response.set_header', 'X_Under_Score', '1']], { phase });
    expect(text).toContain('\r\nX-Under-Score: 1\r\n');
  });
});

test('a Content-Length of access stands for the upstream’s, once', async () => {
  const text = await answerTo([['kong.response.set_header', 'Content-Length', '3']]);
  expect(text.match(/^Content-Length: .*$/gm)).toEqual(['Content-Length: 3']);
});

test.each(protocols)('exit over %s keeps the Content-Length that it is given', async (protocol) => {
  const text = await answerTo([['kong.response.exit', 200, 'hello', { 'Content-Length': '3' }]], {
    protocol,
  });
  expect(text).toContain('\r\nContent-Length: 3\r\n');
});

test('exit with a Content-Length that is not a number ends with 500', async () => {
  const text = await answerTo([['kong.response.exit', 200, 'hello', { 'Content-Length': 'x' }]]);
  expect(text).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/);
});

test.each([
  [418, '418 '],
  [503, '503 Service Temporarily Unavailable'],
  [599, '599 '],
])('exit with %i is said in nginx’s words, in its order', async (status, words) => {
  const text = await answerTo([['kong.response.exit', status, 'no', { 'X-Why': 'x' }]]);
  const names = text
    .split('\r\n\r\n', 1)[0]
    ?.split('\r\n')
    .map((line) => line.split(':', 1)[0]);
  expect(names).toEqual([
    `HTTP/1.1 ${words}`,
    'Date',
    'Connection',
    'X-Why',
    'Content-Length',
    'X-Kong-Response-Latency',
    'Server',
    'X-Kong-Request-Id',
  ]);
});

test('error over MsgPack without a message loses its headers, and follows Accept', async () => {
  const text = await answerTo([['kong.response.error', 418, null, { 'Content-Type': 'text/plain' }]], {
    headers: ['Accept: text/html'],
  });
  expect(text).toContain('\r\nContent-Type: text/html; charset=utf-8\r\n');
});

test('error writes its text in the type that it is given, where Kong has a template for it', async () => {
  const headers = { headers: ['Accept: text/html'] };
  const known = await answerTo(
    [['kong.response.error', 418, 'tea', { 'Content-Type': 'text/plain' }]],
    headers,
  );
  expect(known).toMatch(/\r\nContent-Type: text\/plain; charset=UTF-8\r\n[^]*\r\n\r\ntea\nrequest_id: /);
  await gateway.close();
  const unknown = await answerTo(
    [['kong.response.error', 418, 'tea', { 'Content-Type': 'text/foo' }]],
    headers,
  );
  expect(unknown).toMatch(/^HTTP\/1\.1 500 /);
});

test.each([
  [[], 'text/plain'],
  [['Content-Type: application/json'], 'application/json'],
  [['Accept: application/xml', 'Content-Type: application/json'], 'application/xml'],
])('an error of nginx, to a client that sends %j, is %s', async (headers, type) => {
  const text = await answerTo([['kong.service.request.set_method', 'nope']], { headers });
  expect(text).toMatch(new RegExp(`^HTTP/1\\.1 500 [^]*\\r\\nContent-Type: ${type}; charset=utf-8\\r\\n`));
  expect((await logRecord(gateway)).source).toBe('kong');
});
