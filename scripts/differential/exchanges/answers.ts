import type { Exchange } from '../exchange.ts';

const retried = 1;
/** An answer of the upstream, and what Kong made of it. */
const answer = (id: string, each: 1 | 2 | 3, raw: string, kong: Exchange['kong']): Exchange => ({
  id,
  class: each,
  upstream: { raw, then: 'close' },
  kong,
});
const head = (...lines: string[]): string => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');
const ok = (...lines: string[]): string => `${head(...lines, 'Content-Length: 5')}hello`;
const refused: Exchange['kong'] = {
  status: 502,
  upstreamRequests: retried,
  record: { 'tries.0.state': null, 'tries.0.code': null, 'tries.1': null },
};

/** What an upstream answers, valid or not. */
export const answerExchanges: readonly Exchange[] = [
  answer('answer-bad-line', 2, ok('no colon here'), refused),
  answer('answer-folded', 2, ok('X-A: a', ' b'), refused),
  answer('answer-two-lengths', 2, ok('Content-Length: 5'), refused),
  answer(
    'answer-length-and-chunked',
    2,
    `${head('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    refused,
  ),
  answer('answer-length-text', 2, head('Content-Length: abc'), refused),
  answer('answer-length-negative', 2, head('Content-Length: -1'), refused),
  answer('answer-bare-line-feeds', 2, 'HTTP/1.1 200 OK\nX-A: a\nContent-Length: 5\n\nhello', {
    status: 200,
    body: 'hello',
    headers: { 'x-a': 'a' },
  }),
  answer('answer-http-0.9', 2, 'just text', { body: /just text/ }),
  answer('answer-transfer-gzip', 1, `${head('Transfer-Encoding: gzip, chunked')}0\r\n\r\n`, { status: 502 }),
  answer('answer-one-big-header', 1, ok(`X-Big: ${'x'.repeat(5000)}`), { status: 502 }),
  answer(
    'answer-many-headers',
    1,
    ok(...Array.from({ length: 100 }, (_, at) => `X-${String(at)}: ${'x'.repeat(80)}`)),
    { status: 502 },
  ),
  answer('answer-103', 1, `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok()}`, { status: 103 }),
  answer('answer-trailer', 2, ok('Trailer: X-T'), { status: 200, body: 'hello' }),
  answer('answer-content-type', 1, ok('Content-Type: text/plain'), {
    headers: { 'content-type': 'text/plain; charset=UTF-8' },
    record: { 'response.headers.content-type': 'text/plain; charset=UTF-8' },
  }),
  answer('answer-no-date', 3, ok(), { headers: { date: null } }),
  answer('answer-x-accel', 1, ok('X-Accel-Buffering: no', 'X-Accel-Expires: 5'), {
    headers: { 'x-accel-buffering': null, 'x-accel-expires': null },
  }),
  answer('answer-reason', 3, 'HTTP/1.1 404 Nope Nope\r\nContent-Length: 0\r\n\r\n', {
    status: 404,
    reason: 'Nope Nope',
  }),
  {
    id: 'own-reason-418',
    class: 3,
    script: { access: [['kong.response.exit', 418, '', {}]] },
    kong: { status: 418, reason: '' },
  },
  {
    id: 'own-reason-302',
    class: 3,
    script: { access: [['kong.response.exit', 302, '', {}]] },
    kong: { status: 302, reason: 'Moved Temporarily' },
  },
  {
    id: 'own-reason-413',
    class: 3,
    script: { access: [['kong.response.exit', 413, '', {}]] },
    kong: { status: 413, reason: 'Request Entity Too Large' },
  },
  {
    id: 'own-reason-503',
    class: 3,
    script: { access: [['kong.response.exit', 503, '', {}]] },
    kong: { status: 503, reason: 'Service Temporarily Unavailable' },
  },
  {
    id: 'own-reason-504',
    class: 3,
    script: { access: [['kong.response.exit', 504, '', {}]] },
    kong: { status: 504, reason: 'Gateway Time-out' },
  },
  {
    id: 'own-error-without-accept',
    class: 3,
    upstream: { raw: 'HTTP/1.1 200 OK\r\nno colon\r\n\r\n', then: 'close' },
    kong: { status: 502, headers: { 'content-type': /^text\/plain/ } },
  },
  answer('answer-bad-name', 2, ok('Bad Name: x'), refused),
  answer('answer-101-without-upgrade', 2, 'HTTP/1.1 101 Switching Protocols\r\n\r\n', { status: 101 }),
  answer(
    'answer-trailer-chunked',
    2,
    `${head('Trailer: X-T', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\nX-T: a\r\n\r\n`,
    {
      status: 200,
      body: 'hello',
    },
  ),
  {
    ...answer(
      'answer-trailer-http-1.0',
      2,
      `${head('Trailer: X-T', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\nX-T: a\r\n\r\n`,
      { status: 200, body: 'hello', headers: { 'transfer-encoding': null, 'x-t': null } },
    ),
    request: { raw: 'GET / HTTP/1.0\r\nHost: a\r\n\r\n' },
  },
  answer('answer-chunks-merged', 3, `${head('Transfer-Encoding: chunked')}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`, {
    raw: /\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/,
  }),
  answer('answer-order', 3, ok('X-A: a', 'Content-Type: a/b'), {
    order: ['content-type', 'content-length', 'connection', 'x-a', 'server', 'via', 'x-kong-request-id'],
  }),
  answer('answer-size', 3, ok('Content-Type: text/plain'), { status: 200, sizeAsSent: true }),
  {
    id: 'answer-size-own',
    class: 3,
    script: { access: [['kong.response.exit', 418, 'short', {}]] },
    kong: { status: 418, sizeAsSent: true },
  },
  {
    id: 'answer-reset-in-body',
    class: 3,
    upstream: { raw: `${head('Content-Length: 50')}hello`, then: 'reset' },
    kong: { body: '' },
  },
  {
    id: 'answer-closed-in-body',
    class: 3,
    upstream: { raw: `${head('Content-Length: 50')}hello`, then: 'close' },
    kong: { body: '' },
  },
  {
    id: 'client-gone',
    class: 3,
    upstream: { raw: ok(), afterMs: 150 },
    options: { abortAfterMs: 60 },
    request: { raw: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' },
    kong: { status: null, record: { source: 'upstream', 'response.headers.connection': 'keep-alive' } },
  },
  {
    id: 'own-reason-599',
    class: 3,
    script: { access: [['kong.response.exit', 599, '', {}]] },
    kong: { status: 599, reason: '' },
  },
  {
    id: 'own-reason-426',
    class: 3,
    script: { access: [['kong.response.exit', 426, '', {}]] },
    kong: { status: 426, reason: '' },
  },
];
