import net from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';
import { logRecord } from './support/log-record.ts';
import type { RawUpstream } from './support/raw-upstream.ts';
import { getOnce, rawExchange, rawUpstream } from './support/raw-upstream.ts';

/** What Kong 3.9.3 does with an answer that it holds for a response phase (buffered proxying). */
let gateway: TestGateway;
let upstream: RawUpstream;

const script = {
  response: [['kong.response.get_headers'], ['kong.service.response.get_status']],
  log: [['kong.log.serialize']],
} as const;

beforeAll(async () => {
  upstream = await rawUpstream();
  gateway = await testGateway({
    upstream,
    protocol: 'msgpack',
    phases: ['response', 'log'],
    script,
  });
});
afterAll(async () => gateway.close());
afterEach(() => {
  gateway.server.calls.length = 0;
  gateway.server.script = script;
});

const head = (...lines: string[]): string => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');
/** The client's answer, when its log phase is over, too. */
async function ask(text = getOnce()): Promise<string> {
  const logged = gateway.server.ended('log');
  const answer = await rawExchange(gateway.sandbox.proxyUrl ?? '', text);
  await logged;
  return answer;
}
const seenInResponse = (): Record<string, unknown> | undefined =>
  gateway.server.calls.find((call) => call.method === 'kong.response.get_headers')?.value as
    Record<string, unknown> | undefined;

test('one of the lines whose names differ in case is left, and all of those that do not', async () => {
  upstream.answer =
    head('Set-Cookie: a=1', 'set-cookie: b=2', 'X-M: 1', 'X-M: 2', 'Content-Length: 2') + 'ok';
  const text = await ask();
  expect(text.match(/^set-cookie: .*$/gim)).toHaveLength(1);
  expect(text.match(/^X-M: .*$/gm)).toEqual(['X-M: 1', 'X-M: 2']);
});

test('the upstream’s Via is lost', async () => {
  upstream.answer = head('Via: 1.0 fred', 'Content-Length: 2') + 'ok';
  expect(await ask()).toContain('\r\nVia: 1.1 kong/3.9.3\r\n');
});

test('an answer in chunks has no length for plugins, and goes out in chunks', async () => {
  upstream.answer = head('Transfer-Encoding: chunked') + '2\r\nok\r\n0\r\n\r\n';
  const text = await ask();
  expect(text).toMatch(/\r\nTransfer-Encoding: chunked\r\n[^]*\r\n\r\n2\r\nok\r\n0\r\n\r\n$/);
  expect(text).not.toMatch(/content-length/i);
  expect(seenInResponse()).not.toHaveProperty('content-length');
  const { headers } = (await logRecord(gateway)).response;
  expect(headers['transfer-encoding']).toBe('chunked');
});

test('headers of the upstream’s connection come through, to plugins and to the client', async () => {
  upstream.answer = head(
    'Connection: X-Hop',
    'X-Hop: 1',
    'Upgrade: h2c',
    'Proxy-Connection: x',
    'Content-Length: 0',
  );
  const text = await ask();
  for (const line of ['X-Hop: 1', 'Upgrade: h2c', 'Proxy-Connection: x'])
    expect(text).toContain(`\r\n${line}\r\n`);
  expect(seenInResponse()).toMatchObject({ 'x-hop': ['1'], upgrade: ['h2c'], 'proxy-connection': ['x'] });
});

test('a value without text is one space, and tabs stay', async () => {
  upstream.answer = head('X-E:', 'X-T: \ttab\t', 'Content-Length: 0');
  const text = await ask();
  expect(text).toContain('\r\nX-E:  \r\n');
  expect(text).toContain('\r\nX-T: \ttab\t\r\n');
});

test('the client gets Date first, and nginx’s words for the status', async () => {
  upstream.answer = 'HTTP/1.1 404 Nope Nope\r\nContent-Length: 2\r\nContent-Type: text/html\r\n\r\nok';
  const text = await ask();
  expect(text).toMatch(
    /^HTTP\/1\.1 404 Not Found\r\nDate: [^\r]+\r\nContent-Type: text\/html; charset=UTF-8\r\nConnection: close\r\n/,
  );
  expect(seenInResponse()).toMatchObject({ 'content-type': ['text/html'] });
});

test('an answer of HTTP/0.9 is a body with status 200', async () => {
  upstream.answer = (socket) => socket.end('just a body');
  expect(await ask()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\nb\r\njust a body\r\n0\r\n\r\n$/);
});

test.each(['ends', 'is reset'])(
  'an answer that %s in its body is Kong’s own, and no response phase runs',
  async (how) => {
    upstream.answer = (socket) => {
      socket.write(head('Content-Length: 100', 'X-Up: 1') + 'part');
      setTimeout(() => (how === 'ends' ? socket.destroySoon() : socket.resetAndDestroy()), 20);
    };
    const text = await ask();
    expect(text).toMatch(
      /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nThe upstream server responded with 200\nrequest_id: /,
    );
    expect(text).not.toContain('X-Up');
    expect(await logRecord(gateway)).toMatchObject({ response: { status: 200 }, source: 'kong' });
    expect(seenInResponse()).toBeUndefined();
  },
);

test.each(['099 Low', '799 High'])('a status of %s is a 500, and no response phase runs', async (status) => {
  upstream.answer = `HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nok`;
  const text = await ask();
  expect(text).toMatch(
    /^HTTP\/1\.1 500 Internal Server Error\r\n[^]*An unexpected error occurred\nrequest_id: /,
  );
  await logRecord(gateway);
  expect(seenInResponse()).toBeUndefined();
});

test('an answer that is not valid is a 502 after one request', async () => {
  const before = upstream.heads.length;
  upstream.answer = head('Content-Length: 2', 'Content-Length: 2') + 'ok';
  expect(await ask()).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
  expect(upstream.heads).toHaveLength(before + 1);
  expect((await logRecord(gateway)).tries[0]).not.toHaveProperty('state');
});

describe('a client that has gone', () => {
  test('changes nothing: response phases run and the record says 200', async () => {
    const { port, hostname } = new URL(gateway.sandbox.proxyUrl ?? '');
    const client = net.connect(Number(port), hostname);
    upstream.answer = (socket) => {
      client.destroy();
      setTimeout(() => socket.write(head('Content-Length: 2') + 'ok'), 50);
    };
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await logRecord(gateway)).toMatchObject({
      response: { status: 200 },
      source: 'upstream',
      upstream_status: 200,
    });
    expect(seenInResponse()).toBeDefined();
  });

  test('with its half of the connection only gets its answer', async () => {
    upstream.answer = (socket) => void setTimeout(() => socket.write(head('Content-Length: 2') + 'ok'), 50);
    expect(await halfClosed()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/);
  });
});

/** Sends a request and the end of it, and reads what comes. */
function halfClosed(): Promise<string> {
  const { port, hostname } = new URL(gateway.sandbox.proxyUrl ?? '');
  return new Promise((resolve) => {
    const client = net.connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    let answer = '';
    client.setEncoding('latin1').on('data', (piece: string) => (answer += piece));
    client.once('end', () => client.destroy()).once('close', () => resolve(answer));
    client.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  });
}
