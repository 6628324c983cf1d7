import type { Exchange, Places } from '../exchange.ts';

/** Two routes of one service each, whose paths tell which was taken. */
const two =
  (first: object, second: object) =>
  ({ here, upstream }: Places): object => ({
    services: [first, second].map((route, at) => ({
      name: `s${String(at)}`,
      url: `http://${here}:${String(upstream)}/${at === 0 ? 'first' : 'second'}`,
      routes: [{ name: `r${String(at)}`, ...route }],
    })),
  });
const one =
  (route: object, service: object = {}) =>
  ({ here, upstream }: Places): object => ({
    services: [
      {
        name: 'up',
        url: `http://${here}:${String(upstream)}/`,
        ...service,
        routes: [{ name: 'r', ...route }],
      },
    ],
  });
const hosts = one({ hosts: ['a.test'] });
const wild = one({ hosts: ['*.wild.test'] });
const get = (path: string, ...lines: string[]): string[] => [`GET ${path} HTTP/1.1`, ...lines];
const first = { upstream: { line: 'GET /first' } };

/** Which route is taken, and with what path. */
export const routingExchanges: readonly Exchange[] = [
  {
    id: 'hosts-before-path-and-method',
    class: 1,
    config: two({ hosts: ['a.test'] }, { paths: ['/pm'], methods: ['GET'] }),
    request: get('/pm', 'Host: a.test'),
    kong: { upstream: { line: 'GET /first/pm' } },
  },
  {
    id: 'hosts-before-path-and-header',
    class: 1,
    config: two({ hosts: ['a.test'] }, { paths: ['/ph'], headers: { x: ['1'] } }),
    request: get('/ph', 'Host: a.test', 'x: 1'),
    kong: { upstream: { line: 'GET /first/ph' } },
  },
  {
    id: 'hosts-before-wildcard-path-and-method',
    class: 1,
    config: two({ hosts: ['h.test'] }, { hosts: ['*.test'], paths: ['/z'], methods: ['GET'] }),
    request: get('/z', 'Host: h.test'),
    kong: { upstream: { line: 'GET /first/z' } },
  },
  {
    id: 'expression-before-path-method-and-header',
    class: 1,
    config: two({ paths: ['~/rg/\\d+'] }, { paths: ['/rg/1'], methods: ['GET'], headers: { x: ['1'] } }),
    request: get('/rg/1', 'x: 1'),
    kong: first,
  },
  { id: 'host-case', class: 1, config: hosts, request: get('/', 'Host: A.test'), kong: { status: 404 } },
  {
    id: 'host-case-wildcard',
    class: 1,
    config: wild,
    request: get('/', 'Host: x.WILD.test'),
    kong: { status: 404 },
  },
  {
    id: 'host-empty-label',
    class: 1,
    config: wild,
    request: get('/', 'Host: .wild.test'),
    kong: { status: 200 },
  },
  { id: 'host-space', class: 1, request: get('/', 'Host: a b'), kong: { status: 400 } },
  { id: 'host-slash', class: 1, request: get('/', 'Host: a.test/'), kong: { status: 400 } },
  { id: 'host-user', class: 1, request: get('/', 'Host: u@a.test'), kong: { status: 400 } },
  { id: 'target-bad-encoding', class: 1, request: get('/p/%zz'), kong: { status: 400, upstreamRequests: 0 } },
  { id: 'target-percent', class: 1, request: get('/p/%'), kong: { status: 400, upstreamRequests: 0 } },
  { id: 'target-nul', class: 1, request: get('/p/%00'), kong: { status: 400, upstreamRequests: 0 } },
  { id: 'target-not-utf8', class: 1, request: get('/p/%E9'), kong: { status: 404, upstreamRequests: 0 } },
  { id: 'target-star', class: 1, request: get('*'), kong: { status: 400 } },
  {
    id: 'target-absolute',
    class: 1,
    config: hosts,
    request: get('http://a.test/p', 'Host: none.test'),
    kong: { status: 404 },
  },
  {
    id: 'target-ftp',
    class: 1,
    request: get('ftp://a.test/x', 'Host: a.test'),
    kong: { upstream: { line: 'GET /x' } },
  },
  {
    id: 'path-handling-v1',
    class: 1,
    config: ({ here, upstream }) =>
      one(
        { paths: ['/p'], path_handling: 'v1' },
        { url: `http://${here}:${String(upstream)}/base/` },
      )({ here, upstream }),
    request: get('/p'),
    kong: { upstream: { line: 'GET /base' } },
  },
  {
    id: 'upstream-uri-without-query',
    class: 3,
    script: { access: [['kong.nginx.get_var', 'upstream_uri']] },
    request: get('/p?a=1'),
    kong: { calls: { 'kong.nginx.get_var': '/p' } },
  },
  {
    id: 'uri-decoded',
    class: 3,
    script: { access: [['kong.nginx.get_var', 'uri']] },
    request: get('/p%2Fq'),
    kong: { calls: { 'kong.nginx.get_var': '/p/q' } },
  },
  {
    id: 'route-without-service',
    class: 1,
    config: () => ({ routes: [{ name: 'alone', paths: ['/'] }] }),
    kong: { status: 503, body: /no Service found with those values/, record: { 'tries.0': null } },
  },
  {
    id: 'https-only',
    class: 1,
    config: one({ paths: ['/'], protocols: ['https'] }),
    kong: { status: 426, reason: '', record: { route: null, service: null } },
  },
  {
    id: 'https-only-record',
    class: 1,
    config: one({ paths: ['/'], protocols: ['https'] }),
    script: { log: [['kong.response.get_source']] },
    kong: {
      status: 426,
      record: { 'response.headers.connection': ['close', 'Upgrade'] },
      calls: { 'kong.response.get_source': 'exit' },
    },
  },
  {
    id: 'host-dot-at-the-end',
    class: 1,
    request: get('/', 'Host: wild.'),
    kong: { status: 200, upstream: { headers: { 'x-forwarded-host': 'wild' } } },
  },
  {
    id: 'target-absolute-http-1.0',
    class: 1,
    config: hosts,
    request: { raw: 'GET http://a.test/p HTTP/1.0\r\n\r\n' },
    kong: { status: 404 },
  },
  {
    id: 'path-handling-v1-slash',
    class: 1,
    config: ({ here, upstream }) =>
      one(
        { paths: ['/p/'], path_handling: 'v1' },
        { url: `http://${here}:${String(upstream)}/base/` },
      )({ here, upstream }),
    request: get('/p/'),
    kong: { upstream: { line: 'GET /base/' } },
  },
  {
    id: 'uri-plus',
    class: 3,
    script: { access: [['kong.nginx.get_var', 'uri']] },
    request: get('/p/%2B'),
    kong: { calls: { 'kong.nginx.get_var': '/p/+' } },
  },
];
