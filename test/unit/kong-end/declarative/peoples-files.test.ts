import { describe, expect, it } from 'vitest';
import { loadDeclarativeText } from '../../../../src/kong-end/declarative/index.ts';
import { selfSigned } from '../../../../src/sandbox/gateway/self-signed.ts';

const own = selfSigned();
const indented = (pem: string): string => pem.trim().replaceAll('\n', '\n      ');

/** What a sandbox made of a file: how many entities of each kind, and what it passed over. */
function loaded(text: string, deck = false): { counts: Record<string, number>; over: string } {
  const lines: string[] = [];
  const passedOver = (line: string): number => lines.push(line);
  const store = loadDeclarativeText(text, [], { name: 'kong.yml', passedOver, deck });
  const counts = Object.entries(store.snapshot() as unknown as Record<string, unknown>).flatMap(
    ([kind, list]) =>
      Array.isArray(list) && list.length > 0 && kind !== 'workspaces' ? [[kind, list.length] as const] : [],
  );
  return { counts: Object.fromEntries(counts), over: lines.join() };
}

describe('files as people write them load', () => {
  it('what decK has dumped, with --deck', () => {
    const { counts, over } = loaded(
      `
_format_version: "3.0"
_info:
  defaults: {}
  select_tags: [team-a]
services:
- connect_timeout: 60000
  enabled: true
  host: httpbin.konghq.com
  name: example-service
  port: 80
  protocol: http
  read_timeout: 60000
  retries: 5
  write_timeout: 60000
  plugins:
  - name: rate-limiting
    instance_name: limits
    enabled: true
    protocols: [grpc, grpcs, http, https]
    config: { minute: 5, policy: local, redis: { host: null, port: 6379 } }
  routes:
  - name: example-route
    https_redirect_status_code: 426
    path_handling: v0
    paths: [/mock, "~/api/(?<version>v\\\\d+)/"]
    preserve_host: false
    protocols: [http, https]
    regex_priority: 0
    request_buffering: true
    response_buffering: true
    strip_path: true
    plugins: [{ name: cors }, { name: key-auth, config: { key_names: [apikey] } }]
`,
      true,
    );
    expect(counts).toEqual({ services: 1, routes: 1, plugins: 1 });
    expect(over).toContain('cors, rate-limiting');
  });

  it('consumers with credentials of all kinds', () => {
    const { counts, over } = loaded(`
_format_version: "3.0"
_transform: false
consumers:
- username: jane
  custom_id: "0042"
  tags: [vip]
  keyauth_credentials: [{ key: secret, tags: [a] }]
  basicauth_credentials: [{ username: jane, password: pw }]
  hmacauth_credentials: [{ username: jane, secret: s }]
  jwt_secrets: [{ key: iss, algorithm: HS256, secret: s }]
  acls: [{ group: admins }]
  oauth2_credentials: [{ name: app, client_id: c, client_secret: s, redirect_uris: ["https://a.test/cb"] }]
jwt_secrets: [{ consumer: jane, key: other }]
`);
    expect(counts).toEqual({ consumers: 1, keyauthCredentials: 1 });
    expect(over).toContain(
      'acls, basicauth_credentials, hmacauth_credentials, jwt_secrets, oauth2_credentials',
    );
  });

  it('upstreams with targets and health checks', () => {
    const { counts } = loaded(`
_format_version: "3.0"
upstreams:
- name: orders.internal
  algorithm: least-connections
  slots: 1000
  hash_on: none
  healthchecks:
    threshold: 50
    active:
      type: http
      http_path: /health
      timeout: 1
      concurrency: 10
      headers: { X-Check: ["1"] }
      healthy: { interval: 5, successes: 1, http_statuses: [200, 302] }
      unhealthy: { interval: 5, http_failures: 2, tcp_failures: 2, timeouts: 2, http_statuses: [429, 500] }
    passive:
      healthy: { successes: 5, http_statuses: [200, 201] }
      unhealthy: { http_failures: 5, tcp_failures: 2, timeouts: 7 }
  targets:
  - target: 10.0.0.1:8080
    weight: 100
  - { target: "orders-2.internal:8080", weight: 0 }
  - target: "[::1]:80"
services:
- { name: orders, host: orders.internal, protocol: http, routes: [{ name: orders, hosts: ["*.example.com"] }] }
`);
    expect(counts).toEqual({ upstreams: 1, targets: 3, services: 1, routes: 1 });
  });

  it('certificates with names, and keys in sets', () => {
    const { counts, over } = loaded(`
_format_version: "3.0"
certificates:
- cert: |
      ${indented(own.cert)}
  key: |
      ${indented(own.key)}
  snis: [{ name: a.test }, { name: "*.b.test", tags: [x] }]
vaults:
- { name: env, prefix: my-env, description: secrets, config: { prefix: SECRET_ } }
key_sets:
- name: set-1
  keys: [{ name: k1, kid: "1", jwk: '{"kid":"1","kty":"oct","k":"c2VjcmV0"}' }]
keys:
- { name: k2, kid: "2", set: set-1, pem: { public_key: "p" } }
`);
    expect(counts).toEqual({ certificates: 1, snis: 2 });
    expect(over).toContain('the sections key_sets, keys, vaults');
  });

  it('anchors, merge keys and words of YAML 1.1', () => {
    const { counts } = loaded(`
_format_version: "3.0"
_ignore: [{ x-timeouts: &timeouts { connect_timeout: 0x3e8, read_timeout: 2_000 } }]
_comment: shared timeouts
services:
- { <<: *timeouts, name: a, url: "http://a.test/x", enabled: yes, routes: [&r { name: ra, paths: [/a], strip_path: off }] }
- { <<: *timeouts, name: b, url: "https://b.test", tags: [&t team, "0644"] }
routes:
- { <<: *r, name: rb, service: b, tags: [*t], headers: { x-version: ["1"] } }
`);
    expect(counts).toEqual({ services: 2, routes: 2 });
  });

  it('plugins at the top that name what they are for', () => {
    const { counts } = loaded(`
_format_version: "2.1"
services: [{ name: s, url: "http://s.test", routes: [{ name: r, paths: ["/v1/\\\\d+", /plain] }] }]
consumers: [{ username: c }]
plugins:
- { name: prometheus }
- { name: rate-limiting, service: s, consumer: c, config: { second: 1 } }
- { name: request-transformer, route: r, config: { add: { headers: ["x:y"] } } }
- { name: key-auth, route: r }
`);
    expect(counts).toEqual({ services: 1, routes: 1, consumers: 1, plugins: 1 });
  });
});

describe('what Kong refuses at its start is refused, also in what is passed over', () => {
  const service = (inner: string): string =>
    `_format_version: "3.0"\nservices:\n- name: s\n  url: http://s.test\n${inner}`;
  const refused: [string, string, string | RegExp][] = [
    [
      'groups of consumers, which Kong Enterprise has',
      '_format_version: "3.0"\nconsumer_groups: [{ name: gold }]',
      'consumer_groups: unknown field',
    ],
    ['an unknown section', '_format_version: "3.0"\nservice: []', 'service: unknown field'],
    ['no version', 'services: []', '_format_version: required field missing'],
    ['a path that is not a list', service('  routes: [{ name: r, paths: /a }]'), 'paths: expected an array'],
    [
      'a flag that is text',
      service('  plugins: [{ name: cors, enabled: "yes" }]'),
      /services\[0\]\.plugins\[0\] \('cors'\), enabled: expected a boolean/,
    ],
    [
      'a field of Kong Enterprise in a plugin',
      service('  plugins: [{ name: cors, ordering: { before: { access: [acl] } } }]'),
      'ordering: unknown field',
    ],
    [
      'a plugin for a route that is not there',
      service('plugins: [{ name: acl, route: nope }]'),
      "route: invalid reference 'route: nope' (no such entry in 'routes')",
    ],
    [
      'a protocol that nobody knows',
      service('  plugins: [{ name: acl, protocols: [htp] }]'),
      'protocols[0]: expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp',
    ],
    [
      'the place of a plugin behind one that is passed over',
      service('  plugins: [{ name: cors }, { name: key-auth, config: { nope: 1 } }]'),
      /services\[0\]\.plugins\[1\].*config\.nope: unknown field/,
    ],
    [
      'a credential without what it needs',
      '_format_version: "3.0"\nconsumers: [{ username: u, basicauth_credentials: [{ username: u }] }]',
      'consumers[0].basicauth_credentials[0], password: required field missing',
    ],
    [
      'an algorithm that nobody knows',
      '_format_version: "3.0"\nconsumers: [{ username: u, jwt_secrets: [{ algorithm: none }] }]',
      'algorithm: expected one of: HS256',
    ],
    [
      'a vault that is not installed',
      '_format_version: "3.0"\nvaults: [{ name: aws, prefix: my-aws }]',
      'name: ',
    ],
    ['a vault called env', '_format_version: "3.0"\nvaults: [{ name: env, prefix: env }]', 'prefix: '],
    [
      'a key with two forms',
      '_format_version: "3.0"\nkeys: [{ kid: a, jwk: "{}", pem: { public_key: x } }]',
      'only one or none of these fields must be set',
    ],
    [
      'an authority that is none',
      `_format_version: "3.0"\nca_certificates:\n- cert: |\n      ${indented(own.cert)}\n`,
      'certificate does not appear to be a CA',
    ],
    [
      'a section that is not a list of records',
      '_format_version: "3.0"\nvaults: [a]',
      'vaults[0]: expected a record',
    ],
    ['two services of a name', service('- { name: s, url: "http://t.test" }'), 'uniqueness violation'],
  ];

  it.each(refused)('%s', (_name, text, words) => {
    expect(() => loadDeclarativeText(text)).toThrow(words);
  });
});
