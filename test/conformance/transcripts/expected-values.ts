import { Buffer } from 'node:buffer';
import { expect } from 'vitest';
import { decodeText } from '../../../src/base/text.ts';

/** What the PDK has to make of Kong's recorded answers, the same over both protocols. Written by hand. */
export type Expected = readonly [method: string, value: unknown];

const id = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/) as string;
const alice = expect.objectContaining({
  id: 'b32379d9-3d28-5683-a79c-72139be6e34f',
  created_at: expect.any(Number) as number,
  username: 'alice',
  custom_id: 'c-1',
  tags: ['vip'],
}) as object;
const route = expect.objectContaining({
  id: 'd5749d91-e4ee-58cf-a1b9-2117dfc1a1ca',
  name: 'cap-route',
  protocols: ['http', 'https'],
  methods: null,
  hosts: null,
  paths: ['~/cap/(?<item>[^/]+)/(\\d+)'],
  https_redirect_status_code: 426,
  regex_priority: 0,
  strip_path: true,
  preserve_host: false,
  snis: null,
  tags: null,
  service: { id: 'a7f1a379-b027-50c7-9b3a-7061466f4f8f' },
}) as object;
const service = expect.objectContaining({
  id: 'a7f1a379-b027-50c7-9b3a-7061466f4f8f',
  name: 'local',
  retries: 5,
  protocol: 'http',
  host: '127.0.0.1',
  port: 18080,
  path: '/base',
  connect_timeout: 60000,
  write_timeout: 60000,
  read_timeout: 60000,
  tags: ['t1', 't2'],
  client_certificate: null,
}) as object;
const requestHeaders = {
  host: 'api.example.test',
  'x-consumer-username': 'alice',
  'content-type': 'application/x-www-form-urlencoded',
  'content-length': '16',
  'x-credential-identifier': id,
  'user-agent': 'probe/1',
  connection: 'keep-alive',
  'x-multi': ['one', 'two'],
  'x-consumer-id': 'b32379d9-3d28-5683-a79c-72139be6e34f',
  'x-consumer-custom-id': 'c-1',
};
const query = 'foo=bar&foo=baz&flag&empty=&apikey=alicekey';
const captures = { unnamed: ['th ing', '42'], named: { item: 'th ing' } };
const number = expect.any(Number) as number;
const nothing = (...names: string[]): Expected[] => names.map((name) => [name, undefined]);
const date = expect.stringContaining('GMT') as string;

const getters: readonly Expected[] = [
  ['kong.client.get_ip', '127.0.0.1'],
  ['kong.client.get_forwarded_ip', '127.0.0.1'],
  ['kong.client.get_port', 38564],
  ['kong.client.get_forwarded_port', 38564],
  ['kong.client.get_credential', expect.objectContaining({ id })],
  ['kong.client.get_consumer', alice],
  ['kong.client.get_protocol', 'http'],
  ['kong.nginx.get_subsystem', 'http'],
  ['kong.nginx.req_start_time', number],
  ['kong.nginx.get_tls1_version_str', null],
  ['kong.node.get_id', '4cd0cb4f-a5d8-4daf-bbf7-5ddbddd8b395'],
  [
    'kong.node.get_memory_stats',
    {
      lua_shared_dicts: expect.objectContaining({
        kong: { allocated_slabs: 40960, capacity: 5242880 },
      }) as object,
      workers_lua_vms: [{ http_allocated_gc: number, pid: number }],
    },
  ],
  ['kong.request.get_scheme', 'http'],
  ['kong.request.get_host', 'api.example.test'],
  ['kong.request.get_port', 8000],
  ['kong.request.get_forwarded_scheme', 'http'],
  ['kong.request.get_forwarded_host', 'api.example.test'],
  ['kong.request.get_forwarded_port', 8000],
  ['kong.request.get_http_version', 1.1],
  ['kong.request.get_method', 'POST'],
  ['kong.request.get_path', '/cap/th ing/42'],
  ['kong.request.get_path_with_query', `/cap/th%20ing/42?${query}`],
  ['kong.request.get_raw_query', query],
  ['kong.request.get_raw_body', Buffer.from('name=John&age=42')],
  ['kong.request.get_uri_captures', captures],
  ['kong.router.get_route', route],
  ['kong.router.get_service', service],
  ['kong.request.get_query', { flag: true, empty: '', apikey: 'alicekey', foo: ['bar', 'baz'] }],
  ['kong.request.get_header', 'one'],
  ['kong.request.get_header', null],
  ['kong.request.get_headers', requestHeaders],
  ['kong.ip.is_trusted', false],
  ['kong.nginx.get_var', `/cap/th%20ing/42?${query}`],
  ['kong.nginx.get_var', null],
  ['kong.client.load_consumer', alice],
  ['kong.client.load_consumer', null],
];

export const expectedValues: Readonly<Record<string, readonly Expected[]>> = {
  'access-getters': getters,
  'access-burst': getters,
  'access-msgpack-only': [
    ['kong.request.get_raw_path', '/cap/th%20ing/42'],
    ['kong.request.get_forwarded_path', '/cap/th ing/42'],
    ['kong.request.get_forwarded_prefix', '/cap/th ing/42'],
    ['kong.request.get_start_time', 1795282109393],
    ['kong.node.get_hostname', 'vm'],
    ['kong.plugin.get_id', '559def93-f0a0-5da7-ae93-e139edfe4d5b'],
    ['kong.cluster.get_id', null],
    ...nothing(
      'kong.service.set_retries',
      'kong.service.set_timeouts',
      'kong.service.request.clear_query_arg',
    ),
    ['kong.vault.is_reference', true],
    ['kong.nginx.get_statistics', expect.objectContaining({ connections_active: 4, total_requests: 37 })],
    ['kong.request.get_raw_body', Buffer.from('{"a":1}')],
  ],
  'access-setters': [
    ...nothing(
      ...['set_header', 'add_header', 'set_headers', 'clear_header', 'set_status'].map(
        (name) => `kong.response.${name}`,
      ),
      ...[
        'set_scheme',
        'set_path',
        'set_raw_query',
        'set_method',
        'set_query',
        'set_header',
        'add_header',
      ].map((name) => `kong.service.request.${name}`),
      ...['set_headers', 'clear_header', 'set_raw_body'].map((name) => `kong.service.request.${name}`),
      'kong.service.set_target',
      'kong.ctx.shared.set',
    ),
    ['kong.ctx.shared.get', { a: expect.arrayContaining([1, 'x', true]) as unknown[], b: { c: 1.5 } }],
    ['kong.ctx.shared.get', null],
    ...nothing('kong.nginx.set_ctx'),
    ['kong.nginx.get_ctx', 'cv'],
    ...nothing('kong.log.notice', 'kong.log.err', 'kong.log.set_serialize_value'),
  ],
  'binary-body': [['kong.request.get_raw_body', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))]],
  'binary-header': [['kong.request.get_header', decodeText(Buffer.from('fffe41c3a9', 'hex'))]],
  // Over ProtoBuf:1 the body is in a file that is not here.
  'body-on-disk': [['kong.request.get_raw_body', Buffer.alloc(60_000, 'z')]],
  certificate: [
    ...nothing('kong.ctx.shared.set', 'kong.log.notice'),
    ['kong.nginx.get_tls1_version_str', 'TLSv1.3'],
    ['kong.client.get_protocol', 'https'],
  ],
  'config-change': [
    ['kong.request.get_method', 'POST'],
    ['kong.request.get_method', 'POST'],
  ],
  'empty-phases': [],
  exit: [['kong.request.get_method', 'POST']],
  hello: [
    ['kong.request.get_header', 'probe/1'],
    ['kong.response.set_header', undefined],
  ],
  'log-phase': [
    ...nothing('kong.ctx.shared.set'),
    [
      'kong.log.serialize',
      expect.objectContaining({
        workspace_name: 'default',
        client_ip: '127.0.0.1',
        consumer: alice,
        route: expect.objectContaining({ name: 'cap-route' }) as object,
        service: expect.objectContaining({ name: 'local', port: 18080 }) as object,
        upstream_uri: `/base?${query}`,
        request: expect.objectContaining({ method: 'POST' }) as object,
        response: expect.objectContaining({ status: 200 }) as object,
      }),
    ],
    ['kong.request.get_header', 'one'],
    ['kong.request.get_headers', requestHeaders],
    ['kong.response.get_status', 200],
    [
      'kong.response.get_headers',
      expect.objectContaining({ via: '1.1 kong/3.9.3', 'content-length': '743', 'x-upstream': 'yes', date }),
    ],
    ['kong.response.get_source', 'service'],
    ['kong.client.get_consumer', alice],
    ['kong.router.get_route', route],
    ['kong.router.get_service', service],
    ['kong.ctx.shared.get', 'from-access'],
    ['kong.nginx.req_start_time', number],
    ['kong.request.get_uri_captures', captures],
  ],
  'log-phase-error': [],
  'lua-error': [],
  'query-arg-flag': [],
  'response-phase': [
    ['kong.response.get_status', 200],
    ['kong.response.get_header', 'application/json'],
    [
      'kong.response.get_headers',
      {
        connection: 'keep-alive',
        date,
        'content-type': 'application/json',
        'content-length': '743',
        'x-upstream': 'yes',
      },
    ],
    ['kong.response.get_source', 'service'],
    ['kong.service.response.get_status', 200],
    ['kong.service.response.get_header', 'yes'],
    ['kong.service.response.get_headers', {}],
    ['kong.service.response.get_raw_body', expect.any(Buffer)],
    ['kong.response.set_header', undefined],
  ],
  'stream-preread': [
    ['kong.client.get_ip', '127.0.0.1'],
    ['kong.nginx.get_subsystem', 'stream'],
    ['kong.request.get_port', 9000],
    ...nothing('kong.ctx.shared.set'),
    [
      'kong.log.serialize',
      expect.objectContaining({
        client_ip: '127.0.0.1',
        session: expect.objectContaining({ server_port: 9000, received: 2, sent: 2 }) as object,
      }),
    ],
    ['kong.ctx.shared.get', 'pre'],
  ],
};
