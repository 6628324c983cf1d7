import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startAdmin } from './setup.ts';
import type { Admin, Json } from './setup.ts';

let admin: Admin;
beforeEach(async () => {
  admin = await startAdmin();
});
afterEach(() => admin.close());

async function make(path: string, body: Json): Promise<Json> {
  const answer = await admin.call('POST', path, body);
  expect(answer).toMatchObject({ status: 201 });
  return answer.body;
}

describe('nested paths', () => {
  test('children are made, listed, found, changed and removed below their parent', async () => {
    const service = await make('/services', { name: 's', url: 'http://h:81/x' });
    const other = await make('/services', { name: 'other', url: 'http://h' });
    const route = await make('/services/s/routes', { name: 'r', paths: ['/a'] });
    expect(route['service']).toEqual({ id: service['id'] });
    await make(`/services/${String(other['id'])}/routes`, { name: 'r2', paths: ['/b'] });
    expect((await admin.call('GET', '/services/s/routes')).body).toEqual({ data: [route], next: null });
    expect((await admin.call('GET', '/services/s/routes/r')).body).toEqual(route);
    expect((await admin.call('GET', '/services/other/routes/r')).status).toBe(404);
    expect((await admin.call('GET', '/routes/r/service')).body).toEqual(service);
    const patched = await admin.call('PATCH', '/services/s/routes/r', { paths: ['/c'] });
    expect(patched.body).toMatchObject({ paths: ['/c'], name: 'r' });
    expect((await admin.call('PATCH', '/routes/r/service', { retries: 1 })).body).toMatchObject({
      name: 's',
      retries: 1,
    });
    expect((await admin.call('DELETE', '/routes/r/service')).status).toBe(405);
    const restricted = await admin.call('DELETE', '/services/s');
    expect(restricted).toMatchObject({
      status: 400,
      body: {
        code: 4,
        name: 'foreign key violation',
        message: "an existing 'routes' entity references this 'services' entity",
        fields: { '@referenced_by': 'routes' },
      },
    });
    expect((await admin.call('DELETE', '/services/other/routes/r')).status).toBe(404);
    expect((await admin.call('DELETE', '/services/s/routes/r')).status).toBe(204);
    expect((await admin.call('DELETE', '/services/s')).status).toBe(204);
    expect((await admin.call('GET', '/services/s/routes')).status).toBe(404);
  });

  test('plugins of a service, a route and a consumer go when their owner goes', async () => {
    await make('/services', { name: 's', url: 'http://h' });
    await make('/consumers', { username: 'alice' });
    const plugin = await make('/services/s/plugins', { name: 'demo' });
    await make('/consumers/alice/plugins', { name: 'demo', config: { n: 5 } });
    await make('/consumers/alice/key-auth', { key: 'k' });
    expect((await admin.call('GET', '/plugins')).body['data']).toHaveLength(2);
    expect((await admin.call('GET', `/plugins/${String(plugin['id'])}/service`)).body).toMatchObject({
      name: 's',
    });
    await admin.call('DELETE', '/consumers/alice');
    await admin.call('DELETE', '/services/s');
    expect((await admin.call('GET', '/plugins')).body['data']).toEqual([]);
    expect((await admin.call('GET', '/key-auths')).body['data']).toEqual([]);
  });

  test('a plugin twice in one place is a conflict, and configuration is merged by PATCH and replaced by PUT', async () => {
    const plugin = await make('/plugins', { name: 'demo', config: { n: 5, inner: { b: 'x' } } });
    const path = `/plugins/${String(plugin['id'])}`;
    expect((await admin.call('POST', '/plugins', { name: 'demo' })).body).toEqual({
      code: 5,
      name: 'unique constraint violation',
      message: 'UNIQUE violation detected on \'{consumer=null,name="demo",route=null,service=null}\'',
      fields: { consumer: null, name: 'demo', route: null, service: null },
    });
    const patched = await admin.call('PATCH', path, { config: { inner: { a: 2 } } });
    expect(patched.body['config']).toMatchObject({ n: 5, inner: { a: 2, b: 'x' } });
    const bad = await admin.call('PATCH', path, { config: { n: 11 } });
    expect(bad.body['message']).toBe('schema violation (config.n: value should be between 1 and 10)');
    const put = await admin.call('PUT', path, { name: 'demo', config: {} });
    expect(put.body).toMatchObject({ id: plugin['id'], config: { n: 3, inner: { a: 1, b: null } } });
    expect((await admin.call('PATCH', path, { enabled: false })).body['enabled']).toBe(false);
  });

  test('a plugin has to share a protocol with its route', async () => {
    await make('/services', { name: 's', url: 'http://h' });
    await make('/services/s/routes', { name: 'r', paths: ['/'] });
    const answer = await admin.call('POST', '/routes/r/plugins', { name: 'demo', protocols: ['grpc'] });
    expect(answer.body['message']).toBe(
      "schema violation (protocols: must match the associated route's protocols)",
    );
  });
});

describe('forms', () => {
  test('values are read as the schema says', async () => {
    const service = await admin.call(
      'POST',
      '/services',
      'name=s&url=http%3A%2F%2Fh%3A81&retries=7&tags[]=a&tags[]=b',
    );
    expect(service.body).toMatchObject({ retries: 7, port: 81, tags: ['a', 'b'] });
    const route = await admin.call(
      'POST',
      '/services/s/routes',
      'paths=/a&hosts[1]=x&hosts[2]=y&headers.x-a=1&strip_path=false',
    );
    expect(route.body).toMatchObject({
      paths: ['/a'],
      hosts: ['x', 'y'],
      headers: { 'x-a': ['1'] },
      strip_path: false,
    });
    const plugin = await admin.call(
      'POST',
      '/plugins',
      'name=demo&config.n=4&config.flag=true&config.names=a&config.names=b&config.headers.x=1&config.inner.a=9',
    );
    expect(plugin.body['config']).toEqual({
      n: 4,
      flag: true,
      names: ['a', 'b'],
      headers: { x: '1' },
      inner: { a: 9, b: null },
    });
    const patched = await admin.call(
      'PATCH',
      `/plugins/${String(plugin.body['id'])}`,
      'config.n=5&config.names=',
    );
    expect(patched.body['config']).toMatchObject({ n: 5, names: null, flag: true });
  });

  test('multipart forms too', async () => {
    const form = new FormData();
    form.set('username', 'bob');
    form.set('tags[]', 'x');
    const answer = await fetch(`${admin.url}/consumers`, { method: 'POST', body: form });
    expect(await answer.json()).toMatchObject({ username: 'bob', tags: ['x'] });
  });
});

describe('requests that cannot be', () => {
  test.each<[string, string, string | undefined, Record<string, string>, number, unknown]>([
    [
      'POST',
      '/services',
      '{',
      { 'content-type': 'application/json' },
      400,
      { message: 'Cannot parse JSON body' },
    ],
    ['POST', '/services', 'x', { 'content-type': 'text/plain' }, 415, {}],
    [
      'PUT',
      '/services',
      '{}',
      { 'content-type': 'application/json' },
      405,
      { message: 'Method not allowed' },
    ],
    ['GET', '/services/a/b/c', undefined, {}, 404, { message: 'Not found' }],
    ['GET', '/targets', undefined, {}, 404, { message: 'Not found' }],
    ['GET', '/services/%20', undefined, {}, 400, { code: 10, name: 'invalid unique name' }],
    [
      'GET',
      '/services?size=0',
      undefined,
      {},
      400,
      { code: 9, message: 'size must be an integer between 1 and 1000' },
    ],
    ['GET', '/services?size=x', undefined, {}, 400, { code: 9, message: 'size must be a number' }],
    [
      'GET',
      '/services?offset=!',
      undefined,
      {},
      400,
      { code: 7, message: "'!' is not a valid offset: bad base64 encoding" },
    ],
    [
      'GET',
      '/services?offset=eA',
      undefined,
      {},
      400,
      { message: "'eA' is not a valid offset: bad json encoding" },
    ],
    [
      'GET',
      '/services?tags=',
      undefined,
      {},
      400,
      { code: 11, message: 'invalid option (tags: cannot be null)' },
    ],
    [
      'GET',
      '/services?tags=a,b/c',
      undefined,
      {},
      400,
      { message: 'invalid option (tags: invalid filter syntax)' },
    ],
    ['GET', '/schemas/nope', undefined, {}, 404, { message: "No entity named 'nope'" }],
    ['GET', '/schemas/plugins/nope', undefined, {}, 404, { message: "No plugin named 'nope'" }],
    [
      'POST',
      '/config',
      '{}',
      { 'content-type': 'application/json' },
      400,
      { message: expect.stringContaining('not use a database') as unknown },
    ],
    ['GET', '/teamA/services', undefined, {}, 404, { message: 'Not found' }],
    ['GET', '/%zz', undefined, {}, 404, { message: 'Not found' }],
  ])('%s %s', async (method, path, body, headers, status, expected) => {
    const answer = await fetch(admin.url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    expect(answer.status).toBe(status);
    const text = await answer.text();
    expect(text === '' ? {} : JSON.parse(text)).toMatchObject(expected as object);
  });

  test('a foreign entity that is not there, by id and by name', async () => {
    const id = '11111111-1111-4111-8111-111111111111';
    const byId = await admin.call('POST', '/routes', { paths: ['/'], service: { id } });
    expect(byId.body).toEqual({
      code: 4,
      name: 'foreign key violation',
      message: `the foreign key '{id="${id}"}' does not reference an existing 'services' entity.`,
      fields: { service: { id } },
    });
    const byName = await admin.call('POST', '/routes', { paths: ['/'], service: { name: 'x' } });
    expect(byName).toMatchObject({ status: 400, body: { code: 13, name: 'foreign keys unresolved' } });
    await make('/services', { name: 'x', url: 'http://h' });
    expect((await admin.call('POST', '/routes', { paths: ['/'], service: { name: 'x' } })).status).toBe(201);
  });

  test('a body over the limit', async () => {
    const small = await startAdmin({ bodyLimit: 100 });
    const answer = await small.call('POST', '/services', { name: 'x'.repeat(200) });
    expect(answer.status).toBe(413);
    await small.close();
  });

  test('an entity with an id that is taken', async () => {
    const { id } = await make('/consumers', { username: 'a' });
    const answer = await admin.call('POST', '/consumers', { username: 'b', id });
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 3, message: `primary key violation on key '{id="${String(id)}"}'` },
    });
  });
});

describe('lists', () => {
  test('pages go over everything once, with tags and size kept in next', async () => {
    for (let n = 0; n < 7; n++)
      await make('/consumers', { username: `u${n}`, tags: n % 2 === 0 ? ['even', 'all'] : ['all'] });
    const seen: unknown[] = [];
    let next: string | null = '/consumers?size=2&tags=even';
    while (next !== null) {
      const { body } = await admin.call('GET', next);
      seen.push(...(body['data'] as Json[]).map(({ username }) => username));
      next = body['next'] as string | null;
      if (next !== null) expect(next).toMatch(/^\/consumers\?offset=[\w-]+&tags=even&size=2$/);
    }
    expect(seen.sort()).toEqual(['u0', 'u2', 'u4', 'u6']);
    const either = await admin.call('GET', '/consumers?tags=even/none');
    expect(either.body['data']).toHaveLength(4);
    expect((await admin.call('GET', '/consumers?tags=all,even')).body['data']).toHaveLength(4);
    const tags = await admin.call('GET', '/tags/even');
    expect(tags.body['data']).toHaveLength(4);
    const all: unknown[] = [];
    for (let page: string | null = '/tags?size=3'; page !== null;) {
      const { body } = await admin.call('GET', page);
      all.push(...(body['data'] as Json[]));
      page = body['next'] as string | null;
    }
    expect(all).toHaveLength(11);
  });

  test('a child page continues below its parent', async () => {
    await make('/services', { name: 's', url: 'http://h' });
    for (let n = 0; n < 3; n++) await make('/services/s/routes', { paths: [`/${n}`] });
    const first = await admin.call('GET', '/services/s/routes?size=2');
    expect(first.body['next']).toMatch(/^\/services\/s\/routes\?offset=/);
    expect((await admin.call('GET', first.body['next'] as string)).body['data']).toHaveLength(1);
  });

  test('consumers by custom_id', async () => {
    const consumer = await make('/consumers', { custom_id: 'c' });
    expect((await admin.call('GET', '/consumers?custom_id=c')).body).toEqual({
      data: [consumer],
      next: null,
    });
    expect((await admin.call('GET', '/consumers?custom_id=d')).body).toEqual({ data: [], next: null });
  });
});

describe('listeners of the store', () => {
  test('have heard of a change when its answer comes, once per change', async () => {
    const heard: number[] = [];
    const stop = admin.store.onChange((snapshot) => heard.push(snapshot.consumers.length));
    const before = admin.store.snapshot();
    await make('/consumers', { username: 'a' });
    expect(heard).toEqual([1]);
    expect(before.consumers).toHaveLength(0);
    expect(admin.store.snapshot().hash).not.toBe(before.hash);
    await admin.call('POST', '/consumers', { username: 'a' });
    expect(heard).toEqual([1]);
    stop();
    await admin.call('DELETE', '/consumers/a');
    expect(heard).toEqual([1]);
    expect(admin.store.snapshot()).toMatchObject({ hash: before.hash, consumers: [] });
  });
});
