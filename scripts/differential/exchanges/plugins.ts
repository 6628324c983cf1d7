import type { Exchange, Places } from '../exchange.ts';

const named = ({ upstream }: Places): object => ({
  services: [{ name: 'up', url: `http://127.0.0.1:${String(upstream)}/`, routes: [{ paths: ['/'] }] }],
  upstreams: [{ name: 'up2', targets: [{ target: `127.0.0.1:${String(upstream)}` }] }],
});
const namedService = ({ here, upstream }: Places): object => ({
  services: [{ name: 'up', url: 'http://up2/', routes: [{ paths: ['/'] }] }],
  upstreams: [
    { name: 'up2', host_header: 'hh.example', targets: [{ target: `${here}:${String(upstream)}` }] },
  ],
});
const keyed = ({ here, upstream }: Places): object => ({
  services: [
    {
      name: 'up',
      url: `http://${here}:${String(upstream)}/`,
      routes: [{ paths: ['/'], plugins: [{ name: 'key-auth', config: { hide_credentials: true } }] }],
    },
  ],
  consumers: [{ username: 'alice', keyauth_credentials: [{ key: 'alicekey' }] }],
});
const failed = { failed: true };

/** What plugins see, and where they send requests. */
export const pluginExchanges: readonly Exchange[] = [
  ...(['protobuf', 'msgpack'] as const).map((protocol): Exchange => ({
    id: `log-service-response-status-${protocol}`,
    class: 1,
    protocol,
    script: { log: [['kong.service.response.get_status']] },
    kong: { status: 200, calls: { 'kong.service.response.get_status': failed } },
  })),
  {
    id: 'log-service-response-status-buffered',
    class: 1,
    buffered: true,
    script: { log: [['kong.service.response.get_status']] },
    kong: { status: 200, calls: { 'kong.service.response.get_status': 200 } },
  },
  {
    id: 'log-service-response-body-unbuffered',
    class: 1,
    script: { log: [['kong.service.response.get_raw_body']] },
    kong: { calls: { 'kong.service.response.get_raw_body': failed } },
  },
  ...(['protobuf', 'msgpack'] as const).map((protocol): Exchange => ({
    id: `set-upstream-address-service-${protocol}`,
    class: 1,
    protocol,
    config: named,
    script: { access: [['kong.service.set_upstream', 'up2']] },
    kong: {
      status: 500,
      body: /An unexpected error occurred/,
      upstreamRequests: 0,
      calls: { 'kong.service.set_upstream': true },
    },
  })),
  {
    id: 'set-target-name-address-service',
    class: 1,
    config: named,
    script: { access: [['kong.service.set_target', 'localhost', 1]] },
    kong: { status: 500, upstreamRequests: 0 },
  },
  // The name of an upstream without targets, and a name that nobody resolves: never looked up either.
  {
    id: 'set-upstream-without-targets',
    class: 1,
    config: (places) => ({ ...named(places), upstreams: [{ name: 'nope' }] }),
    script: { access: [['kong.service.set_upstream', 'nope']] },
    kong: { status: 500, upstreamRequests: 0, calls: { 'kong.service.set_upstream': true } },
  },
  {
    id: 'set-target-unresolvable',
    class: 1,
    config: named,
    script: { access: [['kong.service.set_target', 'nobody.invalid', 80]] },
    kong: { status: 500, upstreamRequests: 0 },
  },
  {
    id: 'set-upstream-named-service',
    class: 1,
    config: namedService,
    script: { access: [['kong.service.set_upstream', 'up2']] },
    kong: { status: 200, upstreamRequests: 1, upstream: { headers: { host: /^hh\.example:\d+$/ } } },
  },
  {
    id: 'start-instance-closed',
    class: 3,
    start: 'closes',
    kong: { status: 500, headers: { connection: 'close', 'content-type': /^text\/plain/ } },
  },
  {
    id: 'hidden-key-still-shown',
    class: 1,
    config: keyed,
    request: ['GET /?apikey=alicekey&b=%20x&c=+&d HTTP/1.1'],
    script: { access: [['kong.request.get_query', 100]] },
    kong: {
      status: 200,
      record: { 'request.querystring.apikey': 'alicekey' },
      upstream: { line: 'GET /?b=+x&c=+&d=' },
    },
  },
  {
    id: 'hidden-key-alone',
    class: 3,
    config: keyed,
    request: ['GET /?apikey=alicekey HTTP/1.1'],
    kong: { status: 200, upstream: { line: 'GET /?' } },
  },
  {
    id: 'serialize-value-set-in-log',
    class: 1,
    script: { log: [['kong.log.set_serialize_value', 'a.b', 'v']] },
    kong: { record: { 'a.b': null } },
  },
  {
    id: 'empty-list-in-ctx',
    class: 3,
    script: {
      rewrite: [['kong.ctx.shared.set', 'k', []]],
      access: [['kong.ctx.shared.get', 'k']],
    },
    kong: { calls: { 'kong.ctx.shared.get': { structValue: { fields: {} } } } },
  },
  {
    id: 'anonymous-missing',
    class: 3,
    config: ({ here, upstream }) => ({
      services: [
        {
          url: `http://${here}:${String(upstream)}/`,
          name: 'up',
          routes: [{ paths: ['/'], plugins: [{ name: 'key-auth', config: { anonymous: 'nobody' } }] }],
        },
      ],
    }),
    kong: { status: 500, body: /An unexpected error occurred/ },
  },
  {
    id: 'serialize-value-set-in-log-msgpack',
    class: 1,
    protocol: 'msgpack',
    script: { log: [['kong.log.set_serialize_value', 'a.b', 'v']] },
    kong: { record: { 'a.b': null } },
  },
  ...(['get_header', 'get_headers'] as const).map((name): Exchange => ({
    id: `log-service-response-${name.replace('_', '-')}`,
    class: 1,
    script: { log: [[`kong.service.response.${name}`, name === 'get_header' ? 'via' : 100]] },
    kong: { calls: { [`kong.service.response.${name}`]: failed } },
  })),
];

/**
 * MsgPack:1: Kong's Lua raises in the first start, and its claim is left behind. ProtoBuf:1: Kong takes the bytes for the
 * length of a frame, and waits for the frame. Either way the next request waits for an instance that nobody starts.
 * What waits goes on with the configuration that comes next: no exchange that counts requests may follow.
 */
export const startsThatFail: readonly Exchange[] = [
  {
    id: 'start-instance-rubbish-reads-protobuf',
    class: 1,
    start: 'rubbish',
    options: { patienceMs: 1200 },
    kong: { timing: 'none' },
  },
  ...(['protobuf', 'msgpack'] as const).flatMap((protocol) =>
    (['rubbish', 'http'] as const).map((start): Exchange => ({
      id: `start-instance-${start}-waits-${protocol}`,
      class: 1,
      protocol,
      start,
      twice: true,
      options: { patienceMs: 1200 },
      kong: { timing: 'none' },
    })),
  ),
];
