import type { Exchange } from '../exchange.ts';

const answer = (id: string, each: 1 | 2 | 3, raw: string, kong: Exchange['kong']): Exchange => ({
  id,
  class: each,
  buffered: true,
  upstream: { raw, then: 'close' },
  kong,
});
const ok = (...lines: string[]): string =>
  ['HTTP/1.1 200 OK', ...lines, 'Content-Length: 5', '', 'hello'].join('\r\n');
const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';

/** Answers that Kong captures, since a plugin has a response phase. */
export const bufferedExchanges: readonly Exchange[] = [
  answer('buffered-names-of-two-cases', 1, ok('X-M: a', 'x-m: b'), { headers: { 'x-m': /^[ab]$/ } }),
  answer('buffered-via', 1, ok('Via: 1.0 other'), { headers: { via: '1.1 kong/3.9.3' } }),
  answer('buffered-hop-by-hop', 1, ok('Proxy-Connection: x', 'Upgrade: y'), {
    headers: { 'proxy-connection': 'x', upgrade: 'y' },
  }),
  answer('buffered-breaks-off', 1, 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello', {
    status: 200,
    body: /The upstream server responded with 200/,
  }),
  answer('buffered-status-799', 1, 'HTTP/1.1 799 X\r\nContent-Length: 0\r\n\r\n', { status: 500 }),
  {
    ...answer('buffered-chunked', 1, chunked, {}),
    kong: { headers: { 'transfer-encoding': 'chunked', 'content-length': null } },
  },
  {
    id: 'buffered-half-close',
    class: 2,
    buffered: true,
    options: { halfClose: true },
    kong: { status: 200, record: { source: 'upstream' } },
  },
  answer('buffered-named-in-connection', 1, ok('Connection: X-Hop', 'X-Hop: h'), {
    headers: { 'x-hop': 'h' },
  }),
  answer('buffered-empty-header', 3, ok('X-E:'), { raw: /\r\nX-E: {1,2}\r\n/i }),
  answer('buffered-tabs', 3, ok('X-Tab: \ta\t'), { raw: /\r\nx-tab: \ta\t\r\n/i }),
  answer('buffered-trailer', 2, ok('Trailer: X-T'), { status: 200, body: 'hello' }),
  answer('buffered-http-0.9', 2, 'just text', { status: 200, body: /just text/ }),
  answer('buffered-status-099', 1, 'HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n', { status: 500 }),
  {
    id: 'buffered-reset-in-body',
    class: 1,
    buffered: true,
    upstream: { raw: 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello', then: 'reset' },
    kong: { status: 200, body: /The upstream server responded with 200/ },
  },
  {
    id: 'buffered-client-gone',
    class: 1,
    buffered: true,
    upstream: { raw: ok(), afterMs: 150 },
    options: { abortAfterMs: 60 },
    request: { raw: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' },
    kong: { record: { 'response.status': 200, source: 'upstream' } },
  },
];
