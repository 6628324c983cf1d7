import type { Call } from '../../gateways/probe-plugin.ts';
import type { Exchange } from '../exchange.ts';

const setter = (id: string, call: Call, kong: Exchange['kong'], more: Partial<Exchange> = {}): Exchange => ({
  id,
  class: 1,
  script: { access: [call] },
  ...more,
  kong,
});
const hello = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

/** Setters that Kong refuses, or changes. */
export const setterExchanges: readonly Exchange[] = [
  setter('set-length-text', ['kong.response.set_header', 'Content-Length', 'abc'], { status: 500 }),
  setter('set-transfer-text', ['kong.service.request.set_header', 'Transfer-Encoding', 'abc'], {
    status: 500,
  }),
  setter('set-request-length-text', ['kong.service.request.set_header', 'Content-Length', 'abc'], {
    status: 500,
  }),
  setter(
    'set-length-shorter',
    ['kong.response.set_header', 'Content-Length', '3'],
    { headers: { 'content-length': '3' } },
    { upstream: { raw: hello, then: 'close' } },
  ),
  setter('set-single-header-list', ['kong.service.request.set_headers', { 'User-Agent': ['a', 'b'] }], {
    upstream: { headers: { 'user-agent': 'b' } },
  }),
  setter('set-cookie-list', ['kong.service.request.set_headers', { Cookie: ['a', 'b'] }], {
    upstream: { headers: { cookie: ['a', 'b'] } },
  }),
  setter('set-via', ['kong.service.request.set_header', 'Via', 'v'], {
    upstream: { headers: { via: '1.1 kong/3.9.3' } },
  }),
  setter('set-response-via', ['kong.response.set_header', 'Via', 'v'], {
    headers: { via: '1.1 kong/3.9.3' },
  }),
  setter('add-host', ['kong.service.request.add_header', 'Host', 'other.test'], {
    upstream: { headers: { host: 'other.test' } },
  }),
  {
    id: 'add-forwarded-for-in-rewrite',
    class: 1,
    script: { rewrite: [['kong.service.request.add_header', 'X-Forwarded-For', '192.0.2.1']] },
    kong: { upstream: { headers: { 'x-forwarded-for': /^(?!192\.0\.2\.)[\d.]+$/ } } },
  },
  {
    id: 'set-host-in-rewrite',
    class: 1,
    script: { rewrite: [['kong.service.request.set_header', 'Host', 'other.test']] },
    kong: {
      upstream: { headers: { 'x-forwarded-host': 'other.test' } },
      record: { 'request.url': /^http:\/\/other\.test[:/]/ },
    },
  },
  setter('exit-length', ['kong.response.exit', 200, 'hello', { 'Content-Length': '3' }], {
    headers: { 'content-length': '3' },
  }),
  setter('set-method-without-body', ['kong.service.request.set_method', 'POST'], {
    upstream: { line: 'POST /', headers: { 'content-length': null } },
  }),
  {
    id: 'error-without-message',
    class: 1,
    protocol: 'msgpack',
    request: ['GET / HTTP/1.1', 'Accept: text/html'],
    script: { access: [['kong.response.error', 500, null, { 'Content-Type': 'application/xml' }]] },
    kong: { status: 500, headers: { 'content-type': /^text\/html/ } },
  },
  setter('clear-query-arg-encodes', ['kong.service.request.set_query', { 'a[]': '1' }], {
    upstream: { line: 'GET /?a%5B%5D=1' },
  }),
  {
    id: 'set-length-text-in-response',
    class: 1,
    buffered: true,
    script: { response: [['kong.response.set_header', 'Content-Length', 'abc']] },
    kong: { status: 500 },
  },
  setter('set-length-list', ['kong.response.set_headers', { 'Content-Length': ['a', 'b'] }], { status: 500 }),
  setter('set-authorization-list', ['kong.service.request.set_headers', { Authorization: ['a', 'b'] }], {
    upstream: { headers: { authorization: 'b' } },
  }),
  setter('set-content-type-list', ['kong.service.request.set_headers', { 'Content-Type': ['a/b', 'c/d'] }], {
    upstream: { headers: { 'content-type': 'c/d' } },
  }),
];
