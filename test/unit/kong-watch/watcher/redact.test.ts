import { describe, expect, it } from 'vitest';
import { withoutSecrets } from '../../../../src/kong-watch/watcher/redact.ts';
import { kindsOf, kindsOfWrite, setsHealth } from '../../../../src/kong-watch/watcher/kinds.ts';

describe('secrets', () => {
  it.each([
    ['keyauth_credentials', { key: 's' }],
    ['basicauth_credentials', { password: 's' }],
    ['jwt_secrets', { key: 's', secret: 's' }],
    ['certificates', { key: 's', key_alt: 's' }],
    ['keys', { jwk: 's', pem: { private_key: 's' } }],
    ['rbac_users', { user_token: 's' }],
    ['vaults', { config: { prefix: 's' } }],
    ['a_plugins_own_table', { api_key: 's', nested: { client_secret: 's' } }],
    ['plugins', { config: { redis: { password: 's' }, 'X-Api-Key': 's', auth: { header_value: 's' } } }],
    ['plugins', { config: { headers: { Authorization: ['s'], 'Proxy-Authorization': 's' } } }],
    ['plugins', { config: { aws_secret: 's', aws_access_key: 's', session_secret: 's', license_key: 's' } }],
  ])('of %s: %j', (schema, secrets) => {
    expect(JSON.stringify(withoutSecrets(schema, { id: 'x', ...secrets }))).not.toContain('"s"');
  });

  it('in the middle of a text', () => {
    const config = {
      http_endpoint: 'http://user:s3cret@host/x',
      add: ['authorization: Bearer s3cret', 'x-a:b'],
    };
    expect(withoutSecrets('plugins', { config })).toEqual({
      config: { http_endpoint: 'http://host/x', add: ['authorization:', 'x-a:b'] },
    });
  });

  it('what is none stays, references included', () => {
    const entity = {
      id: 'x',
      credential: { id: 'y' },
      tags: ['a'],
      config: { key_names: ['apikey'], keys: 1 },
    };
    expect(withoutSecrets('oauth2_tokens', entity)).toEqual(entity);
  });
});

it('keys in the configuration of plugins', () => {
  const config = {
    ...{ provision_key: 's', eab_hmac_key: 's', aws_key: 's', aws_secret: 's', key: 's', hmac_key: 's' },
    redis: { auth: 's', host: 'redis' },
    key_names: ['apikey'],
  };
  expect(withoutSecrets('plugins', { name: 'x', config })).toEqual({
    name: 'x',
    config: { redis: { host: 'redis' }, key_names: ['apikey'] },
  });
});

it('a write that sets health', () => {
  expect(setsHealth('/team/upstreams/u/targets/t/unhealthy?x=1')).toBe(true);
  expect(setsHealth('/upstreams/u/targets/t/10.0.0.1:80/healthy')).toBe(true);
  expect(setsHealth('/upstreams/u/targets')).toBe(false);
});

it('kinds that are written with others', () => {
  const some = ['certificates', 'snis'].flatMap((name) => [`/${name}`, `/${name}/{${name}}`]);
  const written = (path: string): string[] =>
    kindsOfWrite('POST', path, kindsOf(some)).map((kind) => kind.schema);
  expect(written('/certificates').sort()).toEqual(['certificates', 'snis']);
  expect(written('/snis')).toEqual(['snis']);
});

describe('the kinds that a write is about', () => {
  const kinds = kindsOf([
    ...[
      '/services',
      '/services/{services}',
      '/services/{services}/routes/{routes}',
      '/routes',
      '/routes/{routes}',
    ],
    ...['/consumers', '/consumers/{consumers}', '/consumers/{consumers}/key-auth/{keyauth_credentials}'],
    ...['/key-auths', '/key-auths/{keyauth_credentials}', '/rbac/roles', '/rbac/roles/:rbac_roles'],
    ...['/cachekeys', '/cachekeys/{cachekeys}', '/audit/requests', '/audit/requests/{audit_requests}'],
  ]);
  const schemas = (method: string, path: string): string[] =>
    kindsOfWrite(method, path, kinds)
      .map((kind) => kind.schema)
      .sort();

  it.each([
    ['POST', '/services', ['services']],
    ['PUT', '/blue/services/x?y=/consumers', ['services']],
    ['POST', '/consumers/alice/key-auth', ['consumers', 'keyauth_credentials']],
    ['DELETE', '/services/x', ['routes', 'services']],
    ['PATCH', '/blue/rbac/roles/x', ['rbac_roles']],
    ['POST', '/schemas/services/validate', []],
    ['POST', '/blue/schemas/services/validate', []],
    ['DELETE', '/cache/x', []],
  ])('%s %s: %j', (method, path, expected) => {
    expect(schemas(method, path)).toEqual(expected);
  });

  it('all of them where the path does not say', () => {
    expect(schemas('POST', '/config')).toEqual(kinds.map((kind) => kind.schema).sort());
    expect(kinds.map((kind) => kind.schema)).toContain('cachekeys');
    expect(kinds.map((kind) => kind.schema)).not.toContain('audit_requests');
  });
});
