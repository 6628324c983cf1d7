import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { kindsOf } from '../../../../src/kong-watch/watcher/kinds.ts';
import { watched } from './support.ts';

interface Exchange {
  request: { method: string; path: string };
  response: { status: number; body: Record<string, unknown> };
}
const { exchanges } = JSON.parse(
  readFileSync(new URL('../../../fixtures/kong/admin-api-3.9.3.json', import.meta.url), 'utf8'),
) as { exchanges: Exchange[] };
const endpoints = exchanges.find(({ request }) => request.path === '/endpoints')?.response.body
  .data as string[];
const kinds = kindsOf(endpoints);

/** The list that a write of the recording is about. */
function listOf(path: string): string {
  const own = ['key-auth', 'targets', 'routes'].find((name) => path.includes(`/${name}`));
  if (own === 'key-auth') return '/key-auths';
  return own === undefined ? `/${path.split('/')[1] ?? ''}` : `/${own}`;
}

it('the kinds of a Kong 3.9.3, parents first', () => {
  const schemas = kinds.map((kind) => kind.schema);
  expect([...schemas].sort()).toEqual(
    [
      ...['acls', 'acme_storage', 'basicauth_credentials', 'ca_certificates', 'certificates', 'consumers'],
      ...['filter_chains', 'hmacauth_credentials', 'jwt_secrets', 'key_sets', 'keyauth_credentials', 'keys'],
      ...['oauth2_credentials', 'oauth2_tokens', 'plugins', 'routes', 'services', 'sessions', 'snis'],
      ...['targets', 'upstreams', 'vaults'],
    ].sort(),
  );
  for (const [child, parent] of [
    ['routes', 'services'],
    ['plugins', 'routes'],
    ['plugins', 'consumers'],
    ['keyauth_credentials', 'consumers'],
    ['targets', 'upstreams'],
    ['snis', 'certificates'],
    ['services', 'certificates'],
    ['keys', 'key_sets'],
  ] as const) {
    expect(schemas.indexOf(child), child).toBeGreaterThan(schemas.indexOf(parent));
    expect(kinds.find((kind) => kind.schema === child)?.parents, child).toContain(parent);
  }
});

it('every write of the recording becomes its event, and nothing else does', async () => {
  const all = await watched(Object.fromEntries(kinds.map((kind) => [kind.path, kind.schema])));
  all.kong.endpoints = endpoints;
  const one = all.watcher();
  await one.pollNow();
  const expected: string[] = [];
  for (const { request, response } of exchanges) {
    const list = all.kong.collections.get(listOf(request.path));
    const schema = kinds.find((kind) => kind.path === listOf(request.path))?.schema ?? '';
    const { id } = response.body;
    if (['POST', 'PUT', 'PATCH'].includes(request.method) && typeof id === 'string') {
      const before = list?.get(id);
      if (JSON.stringify(before) !== JSON.stringify(response.body)) {
        expected.push(`${schema} ${before === undefined ? 'create' : 'update'} ${id}`);
      }
      list?.set(id, { ...response.body, id });
    } else if (request.method === 'DELETE') {
      const gone = [...(list?.values() ?? [])].find((entity) => entity.name === request.path.split('/')[2]);
      if (gone !== undefined) expected.push(`${schema} delete ${gone.id}`);
      if (gone !== undefined) list?.delete(gone.id);
    }
    all.clock.skip(5000);
    await one.pollNow();
  }
  expect(all.told()).toEqual(expected);
  expect(expected.length).toBeGreaterThan(8);
  expect(all.log).toEqual([]);
});
