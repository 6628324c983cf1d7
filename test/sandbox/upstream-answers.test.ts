import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';
import type { LogRecord } from './support/log-record.ts';
import { logRecord } from './support/log-record.ts';
import type { RawUpstream } from './support/raw-upstream.ts';
import { getOnce, rawExchange, rawUpstream } from './support/raw-upstream.ts';

/** What Kong 3.9.3 makes of an upstream's bytes where nobody holds the answer (nginx 1.25.3 with a page of buffer). */
let gateway: TestGateway;
let upstream: RawUpstream;

beforeAll(async () => {
  upstream = await rawUpstream();
  gateway = await testGateway({
    upstream,
    protocol: 'msgpack',
    phases: ['log'],
    script: { log: [['kong.log.serialize'], ['kong.response.get_header', 'content-type']] },
  });
});
afterAll(async () => gateway.close());
beforeEach(() => {
  upstream.heads.length = 0;
  gateway.server.calls.length = 0;
});

/** The client's answer, when its log phase is over, too. */
async function ask(text = getOnce()): Promise<string> {
  const logged = gateway.server.ended('log');
  const answer = await rawExchange(gateway.sandbox.proxyUrl ?? '', text);
  await logged;
  return answer;
}

/** The client's answer and the record of it. */
async function answered(answer: RawUpstream['answer'], text?: string): Promise<[string, LogRecord]> {
  upstream.answer = answer;
  return [await ask(text), await logRecord(gateway)];
}

const head = (...lines: string[]): string => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');

describe('an answer that is not valid', () => {
  test.each([
    ['a line that begins with a space', head('X-A: 1', ' folded', 'Content-Length: 2') + 'ok'],
    ['a name with a space', head('X A: 1', 'Content-Length: 2') + 'ok'],
    ['a line without a name', head(': 1', 'Content-Length: 2') + 'ok'],
    ['a NUL in a value', head('X-A: a\0b', 'Content-Length: 2') + 'ok'],
    ['two lengths', head('Content-Length: 2', 'Content-Length: 2') + 'ok'],
    ['a length and chunks', head('Content-Length: 2', 'Transfer-Encoding: chunked') + '2\r\nok\r\n0\r\n\r\n'],
    ['a length that is not a number', head('Content-Length: abc') + 'ok'],
    ['a negative length', head('Content-Length: -1') + 'ok'],
    ['an encoding beside chunked', head('Transfer-Encoding: gzip, chunked') + '2\r\nok\r\n0\r\n\r\n'],
    ['two encodings', head('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked') + '0\r\n\r\n'],
    ['a header above one buffer', head(`X-Big: ${'a'.repeat(5000)}`, 'Content-Length: 2') + 'ok'],
    [
      'many headers above one buffer',
      head(
        ...Array.from({ length: 100 }, (_, n) => `X-${String(n)}: ${'a'.repeat(80)}`),
        'Content-Length: 2',
      ) + 'ok',
    ],
  ])('for %s is answered with 502 after one request, and its try has no state', async (_what, answer) => {
    const [text, record] = await answered(answer);
    expect(text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(text).toContain('An invalid response was received from the upstream server\nrequest_id: ');
    expect(upstream.heads).toHaveLength(1);
    expect(record.tries).toHaveLength(1);
    expect(record.tries[0]).not.toHaveProperty('state');
    expect(record.tries[0]).not.toHaveProperty('code');
    expect(record).toMatchObject({ upstream_status: '502', source: 'kong' });
  });

  test('for a head of exactly one buffer is passed on', async () => {
    const rest = head('X-Big: ', 'Content-Length: 2').length;
    const [text] = await answered(head(`X-Big: ${'a'.repeat(4096 - rest)}`, 'Content-Length: 2') + 'ok');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});

describe('an answer that nginx takes', () => {
  test('with bare line feeds is passed on', async () => {
    const [text] = await answered('HTTP/1.1 200 OK\nX-A: 1\nContent-Length: 2\n\nok');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\nX-A: 1\r\n[^]*\r\n\r\nok$/);
  });

  test('with names that are not tokens, without a colon and with its status line twice is passed on', async () => {
    const [text] = await answered(
      head('HTTP/1.1 200 OK', 'NoColon', 'X-B: \t\x01b\t', 'Content-Length: 2') + 'ok',
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toMatch(/\r\n\r\nok$/);
  });

  test('of HTTP/0.9 is passed on as it is', async () => {
    const [text, record] = await answered((socket) => socket.end('just a body'));
    expect(text).toBe('just a body');
    expect(record).toMatchObject({ response: { status: 9 }, upstream_status: '200', source: 'upstream' });
  });

  test.each([
    ['HTTP/1.1 100 Continue', '100 Continue'],
    ['HTTP/1.1 103 Early Hints', '103 Early Hints'],
  ])('of %s is the answer, and the real one comes as its body', async (line, words) => {
    const real = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    const [text] = await answered((socket) => socket.end(`${line}\r\n\r\n${real}`));
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${words}\\r\\n[^]*\\r\\n\\r\\nHTTP/1\\.1 200 OK\\r\\n`));
    expect(text).not.toContain('Transfer-Encoding');
  });

  test('of 101 that nobody asked for is passed on', async () => {
    const [text, record] = await answered((socket) =>
      socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    );
    expect(text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\nConnection: upgrade\r\n/);
    expect(record.response.status).toBe(101);
  });

  test('that announces trailers is passed on without them', async () => {
    const chunks = '2\r\nok\r\n0\r\nX-T: 1\r\n\r\n';
    const [text] = await answered(head('Trailer: X-T', 'Transfer-Encoding: chunked') + chunks);
    expect(text).toMatch(/\r\n\r\n2\r\nok\r\n0\r\n\r\n$/);
    expect(text).not.toMatch(/trailer/i);
    upstream.answer = head('Trailer: X-T', 'Content-Length: 2') + 'ok';
    expect(await ask(getOnce('/', 'TE: trailers'))).toMatch(/\r\nTrailer: X-T\r\n[^]*\r\n\r\nok$/);
  });

  test('in chunks with extensions comes in chunks', async () => {
    const [text] = await answered(head('Transfer-Encoding: chunked') + '2;a=b\r\nok\r\n3\nyes\n0\n\n');
    expect(text).toMatch(/\r\nTransfer-Encoding: chunked\r\n[^]*\r\n\r\n5\r\nokyes\r\n0\r\n\r\n$/);
  });

  test('in chunks goes to a client of HTTP/1.0 without them', async () => {
    const [text] = await answered(
      head('Transfer-Encoding: chunked') + '2\r\nok\r\n0\r\n\r\n',
      'GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n',
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\nConnection: close\r\n[^]*\r\n\r\nok$/);
  });

  test('without a body does not wait for one', async () => {
    const [text] = await answered('HTTP/1.1 204 No Content\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 204 No Content\r\n[^]*\r\n\r\n$/);
    upstream.answer = 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n';
    expect(await ask()).toMatch(/^HTTP\/1\.1 304 Not Modified\r\nContent-Length: 5\r\n[^]*\r\n\r\n$/);
    upstream.answer = head('Content-Length: 5');
    expect(await ask(getOnce().replace('GET', 'HEAD'))).toMatch(/\r\nContent-Length: 5\r\n[^]*\r\n\r\n$/);
  });
});

describe('an answer that breaks off', () => {
  test.each([
    ['ends', (socket: { destroySoon(): void }) => socket.destroySoon()],
    ['is reset', (socket: { resetAndDestroy(): void }) => socket.resetAndDestroy()],
  ])('because the connection %s leaves the client without the part that came', async (_how, leave) => {
    const [text, record] = await answered((socket) => {
      socket.write(head('Content-Length: 100') + 'part');
      setTimeout(() => leave(socket), 20);
    });
    expect(text).not.toContain('part');
    expect(record).toMatchObject({ response: { status: 200 }, source: 'upstream', upstream_status: '200' });
  });

  test('because a chunk is none ends the connection', async () => {
    const [text, record] = await answered(head('Transfer-Encoding: chunked') + '2\r\nok\r\nrubbish');
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(record.response.status).toBe(200);
  });
});

describe('the head that a client gets', () => {
  test('has the words of the upstream, in the order of nginx', async () => {
    const [text] = await answered(
      'HTTP/1.1 404 Nope Nope\r\nX-One: 1\r\nContent-Length: 2\r\nVia: 1.0 fred\r\nContent-Type: text/plain\r\nX-Two: 2\r\n\r\nok',
    );
    const names = text
      .split('\r\n\r\n', 1)[0]
      ?.split('\r\n')
      .map((line) => line.split(':', 1)[0]);
    expect(names).toEqual([
      'HTTP/1.1 404 Nope Nope',
      'Content-Type',
      'Content-Length',
      'Connection',
      'X-One',
      'Via',
      'X-Two',
      'Server',
      'X-Kong-Upstream-Latency',
      'X-Kong-Proxy-Latency',
      'X-Kong-Request-Id',
    ]);
    expect(text).toContain('\r\nVia: 1.0 fred, 1.1 kong/3.9.3\r\n');
  });

  test('names the charset of a text, and of nothing else; plugins and records see it', async () => {
    const [text, record] = await answered(head('Content-Type: text/plain', 'Content-Length: 0'));
    expect(text).toContain('\r\nContent-Type: text/plain; charset=UTF-8\r\n');
    expect(record.response.headers['content-type']).toBe('text/plain; charset=UTF-8');
    await expect
      .poll(() => gateway.server.calls.find((call) => call.method === 'kong.response.get_header')?.value)
      .toBe('text/plain; charset=UTF-8');
    for (const type of ['application/json', 'text/html; charset=iso-8859-1', 'text/plain;q=1']) {
      upstream.answer = head(`Content-Type: ${type}`, 'Content-Length: 0');
      expect(await ask()).toContain(`\r\nContent-Type: ${type}\r\n`);
    }
  });

  test('has no Date that the upstream did not send, and nothing that is meant for nginx', async () => {
    const [text] = await answered(
      head('X-Accel-Buffering: no', 'X-Accel-Expires: 1', 'X-Pad: x', 'Content-Length: 0'),
    );
    expect(text).not.toMatch(/\r\n(Date|X-Accel-\w+|X-Pad):/);
    upstream.answer = head('Date: yesterday', 'Content-Length: 0');
    expect(await ask()).toContain('\r\nDate: yesterday\r\n');
  });

  test('keeps the first of a header that nginx has one of, and every line of others', async () => {
    const [text] = await answered(
      head(
        'Location: /a',
        'Location: /b',
        'Set-Cookie: a=1',
        'set-cookie: b=2',
        'ETag: 1',
        'ETag: 2',
        'Content-Length: 0',
      ),
    );
    expect(text.match(/^(Location|ETag|Set-Cookie): .*$/gim)).toEqual([
      'Location: /a',
      'Set-Cookie: a=1',
      'set-cookie: b=2',
      'ETag: 1',
    ]);
  });

  test('has nothing of the upstream’s connection, and its framing is decided here', async () => {
    const [text] = await answered(
      head(
        'Connection: X-Hop, content-length',
        'X-Hop: 1',
        'Keep-Alive: timeout=5',
        'Upgrade: h2c',
        'Proxy-Connection: x',
        'Content-Length: 2',
      ) + 'ok',
    );
    expect(text).not.toMatch(/X-Hop|Keep-Alive:|Upgrade|Content-Length/);
    expect(text).toMatch(
      /\r\nTransfer-Encoding: chunked\r\n[^]*\r\nProxy-Connection: x\r\n[^]*\r\n\r\n2\r\nok\r\n0\r\n\r\n$/,
    );
  });
});

test('an upstream that trickles its head byte by byte, or sends more than it said, harms nobody', async () => {
  const answer = head('Content-Length: 2') + 'ok';
  const [text] = await answered((socket) => {
    for (const [at, byte] of [...answer].entries()) setTimeout(() => socket.write(byte, 'latin1'), at / 4);
  });
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/);
  upstream.answer = head('Content-Length: 2') + 'okHTTP/1.1 500 Smuggled\r\n\r\n';
  expect(await ask()).toMatch(/\r\n\r\nok$/);
  upstream.answer = answer;
  expect(await ask()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/);
});
