import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KongTsError } from '../../../../src/base/errors.ts';
import {
  DeclarativeError,
  exportDeclarative,
  loadDeclarative,
  loadDeclarativeText,
} from '../../../../src/kong-end/declarative/index.ts';
import { defaultWorkspaceId, emptyHash } from '../../../../src/kong-end/entities/index.ts';
import type { KnownPlugin } from '../../../../src/kong-end/entities/index.ts';

const plugin: KnownPlugin = {
  name: 'demo',
  version: '1.0.0',
  priority: 10,
  phases: ['access'],
  schema: {
    name: 'demo',
    fields: [
      { config: { type: 'record', fields: [{ n: { type: 'number', default: 3, between: [1, 10] } }] } },
    ],
  },
};

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'declarative-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

function errorOf(text: string): DeclarativeError {
  try {
    loadDeclarativeText(text, [plugin], { name: 'kong.yml' });
  } catch (thrown) {
    if (thrown instanceof DeclarativeError) return thrown;
    throw thrown;
  }
  throw new Error('no error');
}

describe('what a file declares', () => {
  test('nested and top level entities, foreign keys by name', () => {
    const store = loadDeclarativeText(
      `
_format_version: "3.0"
_comment: hello
services:
- name: a
  url: http://127.0.0.1:8080/x
  _comment: ignored
  plugins: [{ name: demo, config: { n: 4 } }]
  routes:
  - name: ra
    paths: [/a, "~/b/\\\\d+$"]
    plugins: [{ name: demo }]
routes:
- { name: rb, hosts: [b.example], service: a }
- { name: rc, hosts: [c.example], service: { name: a } }
consumers:
- username: alice
  custom_id: c1
  tags: [x]
  keyauth_credentials: [{ key: k1 }]
  plugins: [{ name: demo, route: rb }]
plugins:
- { name: key-auth, service: a }
upstreams:
- name: up.local
  targets: [{ target: "127.0.0.1:1" }, { target: "::1", weight: 5 }]
`,
      [plugin],
      { now: () => 1795282562120 },
    );
    const { services, routes, consumers, keyauthCredentials, plugins, upstreams, targets, workspaces } =
      store.snapshot();
    const [service] = services;
    expect(service).toMatchObject({
      name: 'a',
      host: '127.0.0.1',
      port: 8080,
      path: '/x',
      protocol: 'http',
      retries: 5,
    });
    expect(service?.ws_id).toBe(defaultWorkspaceId);
    expect(service?.created_at).toBe(1795282562);
    const byName = new Map(routes.map((route) => [route.name, route]));
    expect([...byName.keys()].sort()).toEqual(['ra', 'rb', 'rc']);
    for (const route of routes) expect(route.service).toEqual({ id: service?.id });
    expect(byName.get('ra')).toMatchObject({ strip_path: true, protocols: ['http', 'https'], methods: null });
    expect(keyauthCredentials).toMatchObject([{ key: 'k1', ttl: null, consumer: { id: consumers[0]?.id } }]);
    const scopes = plugins.map(({ name, config, service: s, route, consumer }) => [
      name,
      config['n'],
      s?.id,
      route?.id,
      consumer?.id,
    ]);
    expect(scopes).toEqual(
      expect.arrayContaining([
        ['demo', 4, service?.id, undefined, undefined],
        ['demo', 3, undefined, byName.get('ra')?.id, undefined],
        ['demo', 3, undefined, byName.get('rb')?.id, consumers[0]?.id],
        ['key-auth', undefined, service?.id, undefined, undefined],
      ]),
    );
    expect(plugins.find(({ name }) => name === 'demo')?.protocols).toEqual([
      'grpc',
      'grpcs',
      'http',
      'https',
    ]);
    expect(targets.map(({ target, upstream }) => [target, upstream.id])).toEqual([
      ['127.0.0.1:1', upstreams[0]?.id],
      ['[0000:0000:0000:0000:0000:0000:0000:0001]:8000', upstreams[0]?.id],
    ]);
    expect(workspaces).toMatchObject([{ id: defaultWorkspaceId, name: 'default' }]);
  });

  test('ids are the ones that Kong made of the same names', () => {
    const deliveries = JSON.parse(
      readFileSync(new URL('../../../fixtures/kong/http-log-deliveries-3.9.3.json', import.meta.url), 'utf8'),
    ) as { deliveries: { body: unknown }[] };
    interface Logged {
      route?: { name: string; id: string; ws_id: string };
      service?: { name: string; id: string };
    }
    const logged = deliveries.deliveries.flatMap(
      ({ body }) => (Array.isArray(body) ? body : [body]) as Logged[],
    );
    const routes = new Map(logged.flatMap(({ route }) => (route === undefined ? [] : [[route.name, route]])));
    const service = logged.find((record) => record.service !== undefined)?.service;
    expect(routes.size).toBeGreaterThan(1);
    const store = loadDeclarativeText(
      JSON.stringify({
        _format_version: '3.0',
        services: [
          {
            name: service?.name,
            url: 'http://h',
            routes: [...routes.keys()].map((name) => ({ name, paths: ['/'] })),
          },
        ],
      }),
    );
    expect(store.snapshot().services[0]?.id).toBe(service?.id);
    for (const { name, id, ws_id } of store.snapshot().routes) {
      expect({ id, ws_id }).toEqual({ id: routes.get(name ?? '')?.id, ws_id: routes.get(name ?? '')?.ws_id });
    }
  });

  test('the same file gives the same ids and hash again, and the hash is the MD5 of the file', () => {
    const text = '_format_version: "3.0"\nconsumers: [{ custom_id: x, keyauth_credentials: [{}] }]\n';
    const [first, second] = [0, 1].map(() => loadDeclarativeText(text).snapshot());
    expect(first?.consumers[0]?.id).toBe(second?.consumers[0]?.id);
    expect(first?.keyauthCredentials[0]?.id).toBe(second?.keyauthCredentials[0]?.id);
    expect(first?.keyauthCredentials[0]?.key).toMatch(/^\w{32}$/);
    expect(first?.hash).toBe(createHash('md5').update(text).digest('hex'));
    expect(second?.hash).toBe(first?.hash);
    expect(first?.hash).not.toBe(emptyHash);
  });

  test('paths of older formats become regular expressions where they were', () => {
    const store = loadDeclarativeText(
      '_format_version: "2.1"\nservices: [{ name: a, url: "http://h", routes: [{ paths: ["/a/\\\\d+", /b] }] }]',
    );
    expect(store.snapshot().routes[0]?.paths).toEqual(['~/a/\\d+', '/b']);
  });

  test("decK's _info, defaults and plugin configurations", () => {
    const store = loadDeclarativeText(
      `
_format_version: "3.0"
_info: { select_tags: [team-a], defaults: { service: { retries: 1 } } }
_plugin_configs: { shared: { n: 7 } }
services:
- { name: a, url: "http://h", tags: [x], plugins: [{ name: demo, _config: shared }] }
`,
      [plugin],
      { deck: true },
    );
    expect(store.snapshot().services[0]).toMatchObject({ retries: 1, tags: ['x', 'team-a'] });
    expect(store.snapshot().plugins[0]).toMatchObject({ config: { n: 7 }, tags: ['team-a'] });
  });

  test.each([
    ['_info', '_info: { select_tags: [team-a] }'],
    ['_workspace', '_workspace: team-a'],
    ['_plugin_configs', '_plugin_configs: {}'],
  ])('%s is an unknown field unless the file is one for decK, as for Kong', (name, line) => {
    const text = `_format_version: "3.0"\n${line}`;
    const refusal = errorOf(text);
    expect(refusal).toMatchObject({ fields: { [name]: 'unknown field' } });
    expect(refusal.message).toContain(`${name}: unknown field`);
    expect(refusal.message).toContain('--deck');
    expect(() => loadDeclarativeText(text, [], { deck: true })).not.toThrow();
  });

  test('several files are several workspaces, with the same names in each', () => {
    const a = file(
      'a.yml',
      '_format_version: "3.0"\n_workspace: team-a\nservices: [{ name: s, url: "http://a" }]',
    );
    const b = file(
      'b.json',
      '{"_format_version":"3.0","_workspace":"team-b","services":[{"name":"s","url":"http://b"}]}',
    );
    const { services, workspaces, hash } = loadDeclarative([a, b], [], { deck: true }).snapshot();
    expect(workspaces.map(({ name }) => name)).toEqual(['default', 'team-a', 'team-b']);
    const id = (name: string): string | undefined =>
      workspaces.find((workspace) => workspace.name === name)?.id;
    expect(services.map(({ host, ws_id }) => [host, ws_id])).toEqual([
      ['a', id('team-a')],
      ['b', id('team-b')],
    ]);
    expect(services[0]?.id).not.toBe(services[1]?.id);
    expect(hash).toMatch(/^[0-9a-f]{32}$/);
  });

  test('what is exported loads again to the same entities', () => {
    const text =
      '_format_version: "3.0"\nservices: [{ name: a, url: "http://h", routes: [{ name: r, paths: [/x], headers: { x-a: [b] } }] }]\nplugins: [{ name: demo }]';
    const clock = { now: () => 1795282562000 };
    const store = loadDeclarativeText(text, [plugin], clock);
    const again = loadDeclarativeText(exportDeclarative(store, defaultWorkspaceId), [plugin], clock);
    for (const list of ['services', 'routes', 'plugins'] as const) {
      expect(again.snapshot()[list]).toEqual(store.snapshot()[list]);
    }
  });
});

describe('errors', () => {
  test('name the file, the entity, the field and say what Kong says', () => {
    const error = errorOf(`
_format_version: "3.0"
services:
- name: a
  url: http://h
  routes:
  - name: r1
  - { name: r2, paths: [bad] }
- { name: "b c", host: h, bogus: 1 }
plugins:
- { name: nope }
- { name: demo, config: { n: 11, m: 1 } }
routes:
- { name: r3, hosts: [h], service: missing }
`);
    expect(error.code).toBe('DECLARATIVE_INVALID');
    for (const part of [
      "'kong.yml' is not valid: ",
      "services[1] ('b c'), name: invalid value 'b c': the only accepted ascii characters are alphanumerics or ., -, _, and ~",
      "services[1] ('b c'), bogus: unknown field",
      "services[0].routes[0] ('r1'): must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'",
      "services[0].routes[1] ('r2'), paths[0]: should start with: / (fixed path) or ~/ (regex path)",
      "routes[0] ('r3'), service: invalid reference 'service: missing' (no such entry in 'services')",
      "plugins[0], name: plugin 'nope' not enabled; add it to the 'plugins' configuration property",
      'plugins[1], config.n: value should be between 1 and 10',
      'plugins[1], config.m: unknown field',
    ]) {
      expect(error.message).toContain(part);
    }
    expect(error.message.split('; ')).toHaveLength(9);
    expect(error.fields).toMatchObject({
      services: [
        { routes: [{ '@entity': [expect.any(String)] }, { paths: [expect.any(String)] }] },
        { bogus: 'unknown field' },
      ],
      plugins: [
        { name: expect.stringContaining('nope') as string },
        { config: { n: expect.any(String) as string } },
      ],
    });
  });

  test.each([
    ['services: []', '_format_version: required field missing'],
    ['_format_version: 3.0', '_format_version: expected a string'],
    ['_format_version: "9"', '_format_version: expected one of: 1.1, 2.1, 3.0'],
    ['_format_version: "3.0"\nbogus: 1', 'bogus: unknown field'],
    ['_format_version: "3.0"\nservices: {a: 1}', 'services: expected an array'],
    ['_format_version: "3.0"\nservices: [x]', 'services[0]: expected a record'],
    [
      '_format_version: "3.0"\nconsumers: [{username: a}, {username: a}]',
      "consumers[1] ('a'): uniqueness violation: 'consumers' entity with username set to 'a' already declared",
    ],
    [
      '_format_version: "3.0"\nplugins: [{name: demo}, {name: demo}]',
      "plugins[1]: uniqueness violation: 'plugins' entity with primary key set to",
    ],
  ])('%j', (text, message) => {
    expect(errorOf(text).message).toContain(message);
  });

  test('a broken parent is one error, not one per child', () => {
    const error = errorOf(
      '_format_version: "3.0"\nservices: [{ name: a, routes: [{ name: r, paths: [/x] }] }]',
    );
    expect(error.message).toBe(
      "The declarative configuration 'kong.yml' is not valid: services[0] ('a'), host: required field missing.",
    );
  });

  test.each([
    ['[1]', /expected an object/],
    ['{', /failed parsing declarative configuration/],
    ['a: b: c', /failed parsing declarative configuration/],
  ])('text that is not a configuration: %j', (text, message) => {
    expect(() => loadDeclarativeText(text)).toThrow(message);
    expect(() => loadDeclarativeText(text)).toThrow(KongTsError);
  });

  test('a file that is not there, and one of an unknown type', () => {
    expect(() => loadDeclarative([join(dir, 'none.yml')])).toThrow(/none\.yml' cannot be read/);
    expect(() => loadDeclarative([file('x.txt', '')])).toThrow(/Accepted types: json, yaml/);
  });
});
