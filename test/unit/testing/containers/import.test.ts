import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KongAdmin } from '../../../../src/kong-admin/client.ts';
import { declaredId } from '../../../../src/kong-end/declarative/index.ts';
import { selfSigned } from '../../../../src/sandbox/gateway/self-signed.ts';
import type { Sandbox } from '../../../../src/sandbox/index.ts';
import { startSandbox } from '../../../../src/sandbox/index.ts';
import { importEntities } from '../../../../src/testing/containers/entities/import.ts';
import type { MemoryAdmin } from './memory-admin.ts';
import { startMemoryAdmin } from './memory-admin.ts';

const pair = selfSigned();
const schema = {
  name: 'hello',
  fields: [{ config: { type: 'record', fields: [{ word: { type: 'string' } }] } }],
};
const dump = {
  Protocol: 'ProtoBuf:1',
  Plugins: [{ Name: 'hello', Version: '1.0.0', Priority: 1, Phases: ['access'], Schema: schema }],
};

/** One of everything, nested where it can be, a plugin at every scope. */
const nested = (word: string): object => ({
  _format_version: '3.0',
  services: [
    {
      name: 's',
      url: `http://127.0.0.1:1/${word}`,
      plugins: [{ name: 'hello', config: { word: `service-${word}` } }],
      routes: [
        { name: 'r', paths: [`/${word}`], plugins: [{ name: 'hello', config: { word: `route-${word}` } }] },
        { paths: [`/nameless-${word}`] },
      ],
    },
  ],
  consumers: [
    {
      username: 'alice',
      custom_id: word,
      keyauth_credentials: [{ key: 'alice-key', tags: [word] }],
      plugins: [{ name: 'hello', config: { word: `consumer-${word}` } }],
    },
  ],
  upstreams: [{ name: 'u', slots: 10, tags: [word], targets: [{ target: '127.0.0.1:1', tags: [word] }] }],
  certificates: [
    {
      id: '4d0d2ef0-3b7a-4b5c-9f44-d1f2f3a4b5c6',
      ...pair,
      tags: [word],
      snis: [{ name: 'a.test' }, 'b.test'],
    },
  ],
  plugins: [{ name: 'hello', config: { word: `global-${word}` } }],
});

/** The same, side by side, with names where ids could be. */
const flat = (word: string): object => ({
  _format_version: '3.0',
  services: [{ name: 's', url: `http://127.0.0.1:1/${word}` }],
  routes: [{ name: 'r', paths: [`/${word}`], service: 's' }],
  consumers: [{ username: 'alice', custom_id: word }],
  keyauth_credentials: [{ key: 'alice-key', tags: [word], consumer: { username: 'alice' } }],
  upstreams: [{ name: 'u', slots: 10, tags: [word] }],
  targets: [{ target: '127.0.0.1:1', tags: [word], upstream: { name: 'u' } }],
  plugins: [
    { name: 'hello', service: 's', config: { word: `service-${word}` } },
    { name: 'hello', route: { name: 'r' }, config: { word: `route-${word}` } },
    { name: 'hello', consumer: 'alice', config: { word: `consumer-${word}` } },
    { name: 'hello', config: { word: `global-${word}` } },
  ],
});

describe("into the sandbox's Admin API", () => {
  let sandbox: Sandbox;
  let admin: KongAdmin;

  beforeEach(async () => {
    sandbox = await startSandbox({
      proxyListen: 'off',
      adminListen: '127.0.0.1:0',
      pluginServers: [{ name: 'hello', dump, socket: '/nowhere' }],
      log: () => undefined,
    });
    admin = new KongAdmin({ url: sandbox.adminUrl ?? '' });
  });

  afterEach(async () => {
    await sandbox.close();
  });

  const importing = (config: object): Promise<void> => importEntities(admin, JSON.stringify(config));
  const counts = () => {
    const {
      services,
      routes,
      consumers,
      keyauthCredentials,
      plugins,
      upstreams,
      targets,
      certificates,
      snis,
    } = sandbox.store.snapshot();
    return [
      services,
      routes,
      consumers,
      keyauthCredentials,
      plugins,
      upstreams,
      targets,
      certificates,
      snis,
    ].map(({ length }) => length);
  };
  const words = () =>
    sandbox.store
      .snapshot()
      .plugins.map(({ config }) => config['word'])
      .sort();

  test('everything arrives, nested in what it belongs to', async () => {
    await importing(nested('one'));
    expect(counts()).toEqual([1, 2, 1, 1, 4, 1, 1, 1, 2]);
    expect(words()).toEqual(['consumer-one', 'global-one', 'route-one', 'service-one']);
    const { services, routes, keyauthCredentials, consumers } = sandbox.store.snapshot();
    // The ids that Kong gives to declared entities: the same with and without a database.
    expect(services[0]?.id).toBe(declaredId('services', 's'));
    expect(routes.map(({ service }) => service?.id)).toEqual([services[0]?.id, services[0]?.id]);
    expect(keyauthCredentials[0]?.consumer.id).toBe(consumers[0]?.id);
  });

  test('a second time it changes what is there, and makes nothing twice', async () => {
    await importing(nested('one'));
    const before = sandbox.store.snapshot();
    await importing(nested('two'));
    expect(counts()).toEqual([1, 2, 1, 1, 4, 1, 1, 1, 2]);
    expect(words()).toEqual(['consumer-two', 'global-two', 'route-two', 'service-two']);
    const after = sandbox.store.snapshot();
    expect(after.services[0]).toMatchObject({ path: '/two', id: before.services[0]?.id });
    expect(after.routes.flatMap(({ paths }) => paths).sort()).toEqual(['/nameless-two', '/two']);
    for (const list of [after.upstreams, after.targets, after.certificates, after.keyauthCredentials])
      expect(list[0]?.tags).toEqual(['two']);
    expect(after.snis.map(({ id }) => id)).toEqual(before.snis.map(({ id }) => id));
  });

  test('the flat form with names says the same', async () => {
    await importing(nested('one'));
    await importing(flat('two'));
    expect(counts()).toEqual([1, 2, 1, 1, 4, 1, 1, 1, 2]);
    expect(words()).toEqual(['consumer-two', 'global-two', 'route-two', 'service-two']);
  });

  test('what was made over the Admin API is changed and not made twice', async () => {
    const made = await admin.send('POST', '/services', {
      name: 's',
      url: 'http://127.0.0.1:1/made',
      retries: 1,
    });
    await admin.send('POST', '/services/s/plugins', { name: 'hello', config: { word: 'made' } });
    await admin.send('POST', '/certificates', { ...pair, snis: ['c.test'] });
    await importing(flat('two'));
    expect(sandbox.store.snapshot().services).toHaveLength(1);
    // Replaced, and so with Kong's default again.
    expect(sandbox.store.snapshot().services[0]).toMatchObject({
      id: made?.['id'],
      path: '/two',
      retries: 5,
    });
    expect(words()).toEqual(['consumer-two', 'global-two', 'route-two', 'service-two']);
  });

  test('nothing is removed: not a service that is not in it, nor a name of a certificate', async () => {
    await admin.send('POST', '/services', { name: 'other', url: 'http://127.0.0.1:1' });
    await importing(nested('one'));
    await admin.send('POST', '/certificates/a.test/snis', { name: 'c.test' });
    await importing(nested('two'));
    const { services, snis } = sandbox.store.snapshot();
    expect(services.map(({ name }) => name).sort()).toEqual(['other', 's']);
    expect(snis.map(({ name }) => name).sort()).toEqual(['a.test', 'b.test', 'c.test']);
  });

  test('a name may be one that Kong has and the file has not', async () => {
    await admin.send('POST', '/services', { name: 'other', url: 'http://127.0.0.1:1' });
    await importing({ _format_version: '3.0', routes: [{ name: 'r', paths: ['/'], service: 'other' }] });
    const { services, routes } = sandbox.store.snapshot();
    expect(routes[0]?.service?.id).toBe(services[0]?.id);
  });

  test('a reference to nothing is told before anything is written', async () => {
    const config = { ...nested('one'), routes: [{ name: 'x', paths: ['/x'], service: 'nobody' }] };
    await expect(importing(config)).rejects.toMatchObject({
      code: 'DECLARATIVE_INVALID',
      message: expect.stringContaining(
        "routes[0], service: there is no 'nobody' among services, neither here nor in Kong",
      ) as string,
    });
    expect(counts()).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('a section that Kong does not have is told, too', async () => {
    await expect(importing({ _format_version: '3.0', servises: [] })).rejects.toThrow(
      'servises: unknown field',
    );
  });

  test("what Kong refuses is told with the entity and Kong's answer", async () => {
    const config = {
      _format_version: '3.0',
      services: [{ name: 's', url: 'http://127.0.0.1:1', routes: [{ name: 'r' }] }],
    };
    await expect(importing(config)).rejects.toMatchObject({
      code: 'ADMIN_REFUSED',
      message: expect.stringMatching(
        /^Kong refused the route 'r' \(services\[0\]\.routes\[0\]\) with 400: .*must set one of 'methods'/,
      ) as string,
    });
    const plugin = { _format_version: '3.0', plugins: [{ name: 'hello', config: { word: 7 } }] };
    await expect(importing(plugin)).rejects.toThrow(
      /the plugin 'hello' \(plugins\[0\]\) with 400: .*expected a string/,
    );
  });
});

describe('kinds that the sandbox does not have', () => {
  let kong: MemoryAdmin;

  afterEach(async () => {
    await kong.close();
  });

  const config = {
    _format_version: '3.0',
    ca_certificates: [{ cert: pair.cert }],
    vaults: [{ prefix: 'env-vault', name: 'env', config: { prefix: 'X_' } }],
    key_sets: [{ name: 'set', keys: [{ kid: '1', name: 'k', jwk: '{}' }] }],
    consumer_groups: [{ name: 'gold', plugins: [{ name: 'hello' }], consumers: ['bob'] }],
    consumers: [
      {
        username: 'alice',
        groups: [{ name: 'gold' }],
        acls: [{ group: 'admins' }],
        basicauth_credentials: [{ username: 'alice', password: 'p' }],
        hmacauth_credentials: [{ username: 'alice', secret: 's' }],
        jwt_secrets: [{ key: 'k', secret: 's' }],
        oauth2_credentials: [{ name: 'app', client_id: 'c' }],
      },
      { custom_id: 'only', acls: [{ group: 'admins' }] },
    ],
    services: [{ name: 's', host: 'h', filter_chains: [{ name: 'f', filters: [] }] }],
  };
  const size = (collection: string): number => kong.kept.get(collection)?.size ?? 0;

  test('each goes to its place, parents first, and a second time to the same one', async () => {
    kong = await startMemoryAdmin();
    const admin = new KongAdmin({ url: kong.url });
    await importEntities(admin, JSON.stringify(config));
    const first = [...kong.writes];
    const collections = [
      'ca_certificates',
      'vaults',
      'key-sets',
      'keys',
      'consumer_groups',
      'basic-auths',
      'hmac-auths',
      'jwts',
      'oauth2',
      'filter-chains',
      'plugins',
    ];
    for (const name of collections) expect(size(`/${name}`), name).toBe(1);
    expect([size('/acls'), size('/consumers')]).toEqual([2, 2]);
    const [group] = kong.kept.get('/consumer_groups')?.values() ?? [];
    const [plugin] = kong.kept.get('/plugins')?.values() ?? [];
    expect(plugin).toMatchObject({ name: 'hello', consumer_group: { id: group?.['id'] } });
    expect(first.slice(-2)).toEqual([
      'POST /consumers/alice/consumer_groups',
      'POST /consumers/bob/consumer_groups',
    ]);
    const places = first.map((write) => write.replace(/^PUT \/([^/]+)\/.*$/, '$1'));
    expect(places.indexOf('consumer_groups')).toBeLessThan(places.indexOf('plugins'));
    expect(places.indexOf('consumers')).toBeLessThan(places.indexOf('acls'));
    await importEntities(admin, JSON.stringify(config));
    expect(kong.writes.slice(first.length)).toEqual(first);
  });

  test('what this Kong does not have is told by its answer', async () => {
    const none = { status: 404, body: { message: 'Not found' } };
    kong = await startMemoryAdmin((_method, path) => (path.startsWith('/consumer_groups') ? none : null));
    await expect(importEntities(new KongAdmin({ url: kong.url }), JSON.stringify(config))).rejects.toThrow(
      `Kong refused the consumer_group 'gold' (consumer_groups[0]) with 404: {"message":"Not found"}`,
    );
  });

  test('a workspace is a prefix of every path; a consumer that is in a group already stays there', async () => {
    const taken = { status: 409, body: { message: 'exists' } };
    kong = await startMemoryAdmin((_method, path) =>
      path.endsWith('/consumer_groups') && path.includes('/consumers/') ? taken : null,
    );
    await importEntities(new KongAdmin({ url: kong.url }), JSON.stringify({ ...config, _workspace: 'team' }));
    expect(kong.writes.filter((write) => !/^\w+ \/team\//.test(write))).toEqual([]);
  });

  test('a key that is a secret is not in the error', async () => {
    kong = await startMemoryAdmin((method, path) =>
      method === 'PUT' && path.startsWith('/key-auths') ? { status: 400, body: { message: 'no' } } : null,
    );
    const secret = {
      _format_version: '3.0',
      consumers: [{ username: 'a', keyauth_credentials: [{ key: 'hush' }] }],
    };
    const failed = importEntities(new KongAdmin({ url: kong.url }), JSON.stringify(secret));
    await expect(failed).rejects.toThrow('keyauth_credential (consumers[0].keyauth_credentials[0]) with 400');
    await expect(failed).rejects.not.toThrow('hush');
  });
});
