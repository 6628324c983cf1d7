import { afterEach, describe, expect, test } from 'vitest';
import type { TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';
import { getOnce, rawExchange, rawUpstream } from './support/raw-upstream.ts';
import type { Call } from './support/scripted-server.ts';

/** How the end of an answer is found where plugins have a hand in it, as nginx 1.25.3 and ngx_lua have it. */
let gateway: TestGateway;
afterEach(async () => gateway.close());

const hello = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const next = getOnce('/next');
const keptOpen = 'GET /first HTTP/1.1\r\nHost: a\r\n\r\n';

async function answerTo(
  access: readonly Call[],
  { response = [], request = getOnce(), answer = hello, enough }: Options = {},
): Promise<string> {
  gateway = await testGateway({
    upstream: await rawUpstream(answer),
    protocol: 'msgpack',
    phases: response.length === 0 ? ['access'] : ['access', 'response'],
    script: { access, response },
  });
  return rawExchange(gateway.sandbox.proxyUrl ?? '', request, enough);
}
interface Options {
  response?: readonly Call[];
  request?: string;
  answer?: string;
  enough?: RegExp;
}
const exit = (status: number, body: string): Call => ['kong.response.exit', status, body];
const clear = (name: string): Call => ['kong.response.clear_header', name];
const lengths = (text: string): string[] => text.match(/^(content-length|transfer-encoding): .*$/gim) ?? [];

describe.each([204, 304])('an answer with %i has its length and no body', (status) => {
  test('of an exit: the next answer on the connection begins behind the head', async () => {
    const text = await answerTo([exit(status, 'hello')], { request: keptOpen + next });
    expect(text).toMatch(
      new RegExp(
        `^HTTP/1.1 ${String(status)} [^]*Content-Length: 5\r\n[^]*\r\n\r\nHTTP/1.1 ${String(status)} `,
      ),
    );
    expect(text).not.toContain('hello');
  });

  test('of a response phase', async () => {
    const text = await answerTo([], { response: [['kong.response.set_status', status]] });
    expect(text).toContain('\r\nContent-Length: 5\r\n');
    expect(text).toMatch(/\r\n\r\n$/);
  });
});

describe('an exit with a status below 200', () => {
  test.each([100, 101, 199])('%i says nothing, and the connection goes on', async (status) => {
    expect(await answerTo([exit(status, 'hello')], { request: keptOpen + next })).toBe('');
  });

  test('fills a buffer of nginx’s: then it goes out', async () => {
    const text = await answerTo([exit(100, 'x'.repeat(3000))]);
    expect(text).toMatch(/^HTTP\/1\.1 100 \r\n[^]*\r\n\r\nx{3000}$/);
  });
});

describe('a Content-Length that is cleared', () => {
  test('in access stays away from the answer that is passed on, and no chunks take its place', async () => {
    const text = await answerTo([clear('Content-Length')], { request: keptOpen, enough: /hello/ });
    expect(lengths(text)).toEqual([]);
    expect(text).toMatch(/\r\nConnection: keep-alive\r\n[^]*\r\n\r\nhello$/);
  });

  test('in access leaves an answer in chunks as it is, and an exit its length', async () => {
    const chunks = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
    expect(lengths(await answerTo([clear('content_length')], { answer: chunks }))).toEqual([
      'Transfer-Encoding: chunked',
    ]);
    await gateway.close();
    expect(lengths(await answerTo([clear('Content-Length'), exit(200, 'bye')]))).toEqual([
      'Content-Length: 3',
    ]);
  });

  test('and set again is as if it had been set', async () => {
    const text = await answerTo([
      clear('Content-Length'),
      ['kong.response.set_header', 'Content-Length', '3'],
    ]);
    expect(lengths(text)).toEqual(['Content-Length: 3']);
  });

  test('in a response phase gives way to chunks', async () => {
    const text = await answerTo([], { response: [clear('Content-Length')] });
    expect(lengths(text)).toEqual(['Transfer-Encoding: chunked']);
  });
});

describe('a Transfer-Encoding that is added', () => {
  test('goes to the client beside the length', async () => {
    const added: Call = ['kong.response.add_header', 'Transfer-Encoding', 'chunked'];
    expect(lengths(await answerTo([added]))).toEqual(['Content-Length: 5', 'Transfer-Encoding: chunked']);
    await gateway.close();
    expect(lengths(await answerTo([added, exit(200, 'bye')]))).toEqual([
      'Transfer-Encoding: chunked',
      'Content-Length: 3',
    ]);
  });

  test('is ignored where it is set', async () => {
    const text = await answerTo([['kong.response.set_header', 'Transfer-Encoding', 'gzip']]);
    expect(lengths(text)).toEqual(['Content-Length: 5']);
  });
});

test('a Date that is cleared keeps nginx from writing its own, unless it is set again', async () => {
  expect(await answerTo([clear('Date'), exit(200, 'bye')])).not.toMatch(/^date:/im);
  await gateway.close();
  const text = await answerTo([clear('Date'), ['kong.response.set_header', 'Date', 'x'], exit(200, 'bye')]);
  expect(text.match(/^date: .*$/gim)).toEqual(['Date: x']);
});
