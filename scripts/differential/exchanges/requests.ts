import type { Exchange } from '../exchange.ts';

const raw = (text: string): { raw: string } => ({ raw: text });
const post = (...lines: string[]): string =>
  ['POST / HTTP/1.1', 'Host: a', 'Connection: close', ...lines, '', ''].join('\r\n');

/** Requests as clients send them, valid or not. */
export const requestExchanges: readonly Exchange[] = [
  {
    id: 'request-chunked',
    class: 1,
    request: raw(`${post('Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n`),
    kong: { upstream: { headers: { 'content-length': '3', 'transfer-encoding': null }, body: 'abc' } },
  },
  {
    id: 'request-trailer',
    class: 2,
    request: ['GET / HTTP/1.1', 'Trailer: X-T'],
    kong: { status: 200 },
  },
  {
    id: 'request-header-dot',
    class: 1,
    request: ['GET / HTTP/1.1', 'X.Foo: a'],
    kong: { status: 200, upstream: { headers: { 'x.foo': null } } },
  },
  {
    id: 'request-without-colon',
    class: 2,
    request: ['GET / HTTP/1.1', 'NoColon', 'X-A: a'],
    kong: { status: 200, upstream: { headers: { 'x-a': 'a' } } },
  },
  {
    id: 'request-bad-name',
    class: 2,
    request: ['GET / HTTP/1.1', 'Bad@Name: a'],
    kong: { status: 200, upstream: { headers: { 'bad@name': null } } },
  },
  {
    id: 'request-line-too-long',
    class: 3,
    request: ['GET / HTTP/1.1', `X-Long: ${'x'.repeat(9000)}`],
    kong: { status: 400 },
  },
  {
    id: 'request-http-2.0',
    class: 1,
    request: raw('GET / HTTP/2.0\r\nHost: a\r\n\r\n'),
    kong: { status: 505 },
  },
  {
    id: 'request-transfer-identity',
    class: 3,
    request: raw(post('Transfer-Encoding: identity')),
    kong: { status: 501 },
  },
  {
    id: 'request-transfer-gzip',
    class: 3,
    request: raw(post('Transfer-Encoding: gzip')),
    kong: { status: 501 },
  },
  {
    id: 'request-post-without-length',
    class: 3,
    request: raw(post()),
    kong: { status: 200, upstream: { headers: { 'content-length': null } } },
  },
  {
    id: 'request-http-1.0-via',
    class: 3,
    request: raw('GET / HTTP/1.0\r\nHost: a\r\n\r\n'),
    kong: { status: 200, upstream: { headers: { via: '1 kong/3.9.3' } } },
  },
  {
    id: 'request-http-1.0-trailer',
    class: 2,
    request: raw('POST / HTTP/1.0\r\nHost: a\r\nTrailer: X-T\r\nContent-Length: 3\r\n\r\nabc'),
    kong: { status: 200, upstream: { headers: { via: '1 kong/3.9.3' }, body: 'abc' } },
  },
  {
    id: 'request-tabs',
    class: 3,
    request: ['GET / HTTP/1.1', 'X-Tab: \ta\t'],
    kong: { status: 200, record: { 'request.headers.x-tab': '\ta\t' } },
  },
  {
    id: 'request-control-byte',
    class: 2,
    request: ['GET / HTTP/1.1', 'X-C: a\x01b'],
    kong: { status: 200 },
  },
  {
    id: 'request-http-0.9',
    class: 1,
    request: raw('GET /\r\n'),
    // nginx may leave the head out.
    kong: { body: /Bad request/ },
  },
  {
    id: 'request-chunks-bare-line-feeds',
    class: 2,
    request: raw(`${post('Transfer-Encoding: chunked')}3\nabc\n0\n\n`),
    kong: { status: 200, upstream: { body: 'abc' } },
  },
  {
    id: 'request-chunk-bad',
    class: 3,
    request: raw(`${post('Transfer-Encoding: chunked')}zz\r\nabc\r\n0\r\n\r\n`),
    kong: { status: 400, headers: { 'x-kong-response-latency': null, via: '1.1 kong/3.9.3' } },
  },
];
