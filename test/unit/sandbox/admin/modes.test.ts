import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { loadDeclarativeText } from '../../../../src/kong-end/declarative/index.ts';
import { schemaToJson } from '../../../../src/kong-end/schema/index.ts';
import { emptyHash } from '../../../../src/kong-end/entities/index.ts';
import { demoPlugin, startAdmin } from './setup.ts';
import type { Admin, Json } from './setup.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(options: Parameters<typeof startAdmin>[0]): Promise<Admin> {
  const admin = await startAdmin(options);
  closing.push(admin.close);
  return admin;
}

describe('without a database', () => {
  test('answers come in the order in which Kong looks', async () => {
    const store = loadDeclarativeText(
      '_format_version: "3.0"\nupstreams: [{ name: u.test, targets: [{ target: "127.0.0.1:1" }] }]\n',
      [demoPlugin],
    );
    const admin = await start({ database: 'off', store, startsServers: true });
    const status = async (method: string, path: string, body?: object): Promise<unknown[]> => {
      const answer = await admin.call(method, path, body);
      return [answer.status, answer.body?.['code']];
    };
    expect(await status('DELETE', '/services/nope')).toEqual([204, undefined]);
    expect(await status('PATCH', '/services/nope', {})).toEqual([404, 6]);
    expect(await status('POST', '/services', { port: 'x' })).toEqual([400, 2]);
    expect(await status('POST', '/services', { host: 'a.test' })).toEqual([405, 12]);
    expect(await status('GET', '/tags')).toEqual([500, undefined]);
    expect(await status('GET', '/services?tags=a')).toEqual([500, undefined]);
    expect(await status('PUT', '/upstreams/u.test/targets/127.0.0.1:1/unhealthy')).toEqual([400, undefined]);
    expect(await status('GET', '/services?offset=xyz')).toEqual([200, undefined]);
    expect(await status('GET', '/services?offset=!')).toEqual([400, 7]);
    for (const path of [
      '/ca_certificates',
      '/vaults',
      '/keys',
      '/key-sets',
      '/timers',
      '/debug/node/log-level',
    ])
      expect([path, ...(await status('GET', path))]).toEqual([path, 200, undefined]);
    expect(await status('GET', '/clustering/data-planes')).toEqual([400, undefined]);
    // Worker 0 of a Kong that has started a plugin server.
    expect(await status('GET', '/')).toEqual([500, undefined]);
    expect(await status('GET', '/status')).toEqual([200, undefined]);
  });

  test('a change of what is named by its name says so, and its body is looked at first', async () => {
    const store = loadDeclarativeText('_format_version: "3.0"\nservices: [{ name: a, host: h }]\n', [
      demoPlugin,
    ]);
    const admin = await start({ database: 'off', store });
    const id = store.snapshot().services[0]?.id ?? '';
    const said = async (method: string, path: string, body?: object): Promise<unknown> =>
      (await admin.call(method, path, body)).body?.['message'];
    const unsupported = (verb: string, by = ''): string =>
      `cannot ${verb} 'services' entities ${by}when not using a database`;
    expect(await said('PUT', '/services/a', { host: 'x' })).toBe(
      unsupported('create or update', "by 'name' "),
    );
    expect(await said('PUT', '/services/new', { host: 'x' })).toBe(
      unsupported('create or update', "by 'name' "),
    );
    expect(await said('PATCH', '/services/a', { host: 'x' })).toBe(unsupported('update', "by 'name' "));
    expect(await said('DELETE', '/services/a')).toBe(unsupported('remove', "by 'name' "));
    expect(await said('PUT', `/services/${id}`, { host: 'x' })).toBe(unsupported('create or update'));
    expect(await said('DELETE', `/services/${id}`)).toBe(unsupported('remove'));
    const wrong = 'schema violation (port: expected an integer)';
    expect(await said('PUT', '/services/a', { host: 'x', port: 'y' })).toBe(wrong);
    expect(await said('PATCH', '/services/a', { port: 'y' })).toBe(wrong);
    expect(await said('POST', '/certificates', { cert: 'c', key: 'k', snis: ['a.test'] })).toMatch(
      /invalid certificate/,
    );
  });

  test('a key from a file has no ttl, with a database it has null', async () => {
    const text = '_format_version: "3.0"\nconsumers: [{ username: u, keyauth_credentials: [{ key: k }] }]\n';
    const declared = await start({ database: 'off', store: loadDeclarativeText(text) });
    const stored = await start({ store: loadDeclarativeText(text) });
    const key = async (admin: Admin): Promise<unknown> =>
      ((await admin.call('GET', '/key-auths')).body['data'] as Json[])[0];
    expect(await key(declared)).not.toHaveProperty('ttl');
    expect(await key(stored)).toHaveProperty('ttl', null);
  });

  test('a /config with what the sandbox does not run says so, or is refused where it is strict', async () => {
    const lines: string[] = [];
    const config =
      '_format_version: "3.0"\nvaults: [{ name: env, prefix: my-env }]\nplugins: [{ name: cors }]\n';
    const store = loadDeclarativeText('_format_version: "3.0"');
    const kind = await start({
      database: 'off',
      store,
      loading: { passedOver: (line) => lines.push(line) },
    });
    expect((await kind.call('POST', '/config', { config })).status).toBe(201);
    expect(lines).toEqual([expect.stringContaining('the sections vaults are passed over')]);
    const strict = await start({ database: 'off', store, loading: { strict: true } });
    const refused = await strict.call('POST', '/config', { config });
    expect([refused.status, refused.body['message']]).toEqual([
      400,
      expect.stringContaining('was told to be strict'),
    ]);
  });

  test('a /config that is not YAML is told where, in the words of Kong', async () => {
    const admin = await start({ database: 'off', store: loadDeclarativeText('_format_version: "3.0"') });
    const answer = await admin.call('POST', '/config', { config: 'a: [b' });
    const { error } = answer.body['fields'] as { error: string };
    expect(error).toMatch(/^failed parsing declarative configuration: 1:6: /);
    expect(answer.body['message']).toBe(`declarative config is invalid: {error="${error}"}`);
  });

  const text =
    '_format_version: "3.0"\nservices: [{ name: a, url: "http://h", plugins: [{ name: demo }] }]\n';

  test('entities are read only, in the words of Kong', async () => {
    const admin = await start({ database: 'off', store: loadDeclarativeText(text, [demoPlugin]) });
    const refusal = (verb: string, by = "by 'name' "): Json => ({
      code: 12,
      name: 'operation unsupported',
      message: `cannot ${verb} 'services' entities ${by}when not using a database`,
    });
    expect(await admin.call('POST', '/services', { name: 'b', url: 'http://h' })).toMatchObject({
      status: 405,
      body: refusal('create', ''),
    });
    expect(await admin.call('PATCH', '/services/a', {})).toMatchObject({
      status: 405,
      body: refusal('update'),
    });
    expect(await admin.call('PUT', '/services/a', { host: 'h' })).toMatchObject({
      status: 405,
      body: refusal('create or update'),
    });
    expect(await admin.call('DELETE', '/services/a')).toMatchObject({ status: 405, body: refusal('remove') });
    expect((await admin.call('GET', '/services/a')).body).toMatchObject({ host: 'h' });
  });

  test('POST /config replaces everything, GET shows it, /status has the hash', async () => {
    const admin = await start({ database: 'off' });
    expect((await admin.call('GET', '/status')).body).toMatchObject({ configuration_hash: emptyHash });
    const posted = await admin.call('POST', '/config', { config: text });
    expect(posted.status).toBe(201);
    expect(Object.values(posted.body['services'] as Json)).toMatchObject([{ name: 'a' }]);
    const { configuration_hash: hash } = (await admin.call('GET', '/status')).body;
    expect(hash).toBe(loadDeclarativeText(text, [demoPlugin]).snapshot().hash);
    expect((await admin.call('POST', '/config?check_hash=1', { config: text })).status).toBe(304);
    const shown = (await admin.call('GET', '/config')).body['config'] as string;
    expect(loadDeclarativeText(shown, [demoPlugin]).snapshot().services).toMatchObject([{ name: 'a' }]);
    const object = await admin.call('POST', '/config', {
      _format_version: '3.0',
      consumers: [{ username: 'x' }],
    });
    expect(object.status).toBe(201);
    expect(admin.store.snapshot()).toMatchObject({ services: [], consumers: [{ username: 'x' }] });
    const yaml = await admin.call('POST', '/config', undefined, {});
    expect(yaml).toMatchObject({ status: 400, body: { message: 'expected a declarative configuration' } });
    const raw = await fetch(`${admin.url}/config`, {
      method: 'POST',
      body: text,
      headers: { 'content-type': 'text/yaml' },
    });
    expect(raw.status).toBe(201);
  });

  test('a configuration with errors changes nothing', async () => {
    const admin = await start({ database: 'off' });
    await admin.call('POST', '/config', { config: text });
    const bad = await admin.call('POST', '/config', {
      config: '_format_version: "3.0"\nservices: [{ name: "a b" }]',
    });
    expect(bad).toMatchObject({ status: 400, body: { code: 14, name: 'invalid declarative configuration' } });
    expect(bad.body['fields']).toMatchObject({ services: [{ host: 'required field missing' }] });
    expect(bad.body['message']).toMatch(
      /^declarative config is invalid: \{services=\{\{host="required field missing",name="invalid value/,
    );
    expect((await admin.call('POST', '/config', { config: '{' })).status).toBe(400);
    const flat = await admin.call('POST', '/config?flatten_errors=1', {
      _format_version: '3.0',
      bogus: 1,
      services: [
        {
          name: 'x',
          host: 'h',
          routes: [{ name: 'r', tags: ['t'], paths: ['bad'] }],
          plugins: [{ name: 'demo', config: { n: 99 } }],
        },
      ],
    });
    expect(flat.body).toMatchObject({
      fields: { bogus: 'unknown field' },
      flattened_errors: expect.arrayContaining([
        expect.objectContaining({
          entity_type: 'plugin',
          entity_name: 'demo',
          errors: [{ type: 'field', field: 'config.n', message: 'value should be between 1 and 10' }],
        }),
        expect.objectContaining({
          entity_type: 'route',
          entity_name: 'r',
          entity_tags: ['t'],
          errors: [
            {
              type: 'field',
              field: 'paths.1',
              message: 'should start with: / (fixed path) or ~/ (regex path)',
            },
          ],
        }),
      ]) as unknown,
    });
    expect(flat.body['flattened_errors']).toHaveLength(2);
    expect(admin.store.snapshot().services).toHaveLength(1);
  });
});

describe('workspaces, where the sandbox plays Enterprise', () => {
  test('keep their entities apart', async () => {
    const admin = await start({ workspaces: true });
    expect((await admin.call('GET', '/teamA/services')).status).toBe(404);
    const made = await admin.call('POST', '/workspaces', { name: 'teamA', comment: 'a team' });
    expect(made).toMatchObject({
      status: 201,
      body: { name: 'teamA', comment: 'a team', meta: {}, config: {} },
    });
    expect((await admin.call('POST', '/workspaces', { name: 'teamA' })).status).toBe(409);
    expect((await admin.call('POST', '/workspaces', { name: 'services' })).status).toBe(400);
    await admin.call('PUT', '/workspaces/teamB', { comment: 'another' });
    const names = ((await admin.call('GET', '/workspaces')).body['data'] as Json[]).map(({ name }) => name);
    expect(names.sort()).toEqual(['default', 'teamA', 'teamB']);

    for (const team of ['teamA', 'teamB']) {
      expect(
        (await admin.call('POST', `/${team}/services`, { name: 's', url: `http://${team}` })).status,
      ).toBe(201);
    }
    expect((await admin.call('GET', '/teamA/services/s')).body).toMatchObject({ host: 'teamA' });
    expect((await admin.call('GET', '/services')).body['data']).toEqual([]);
    expect((await admin.call('GET', '/default/services/s')).status).toBe(404);
    const other = (await admin.call('GET', '/teamB/services/s')).body;
    expect((await admin.call('GET', `/teamA/services/${String(other['id'])}`)).status).toBe(404);
    const foreign = await admin.call('POST', '/teamA/routes', { paths: ['/'], service: { id: other['id'] } });
    expect(foreign.body['name']).toBe('foreign key violation');
    expect(admin.store.snapshot().services.map(({ ws_id }) => ws_id)).toContain(made.body['id']);

    await admin.call('POST', '/teamA/services', { name: 't', url: 'http://h' });
    const page = await admin.call('GET', '/teamA/services?size=1');
    expect(page.body['next']).toMatch(/^\/teamA\/services\?offset=/);
    expect((await admin.call('GET', page.body['next'] as string)).body['data']).toHaveLength(1);

    expect((await admin.call('DELETE', '/workspaces/teamB')).body).toEqual({
      message: 'Workspace is not empty',
    });
    await admin.call('DELETE', '/teamB/services/s');
    expect((await admin.call('DELETE', '/workspaces/teamB')).status).toBe(204);
    expect((await admin.call('DELETE', '/workspaces/default')).status).toBe(400);
    expect((await admin.call('GET', '/')).body['edition']).toBe('enterprise');
  });
});

test('workspaces of a declarative file are there without being asked for', async () => {
  const store = loadDeclarativeText(
    '_format_version: "3.0"\n_workspace: blue\nservices: [{ name: s, url: "http://h" }]',
    [],
    { deck: true },
  );
  const admin = await start({ store });
  expect((await admin.call('GET', '/blue/services')).body['data']).toHaveLength(1);
  expect((await admin.call('GET', '/services')).body['data']).toHaveLength(0);
  expect((await admin.call('GET', '/workspaces')).body['data']).toHaveLength(2);
  const oss = await start({ store, workspaces: false });
  expect((await oss.call('GET', '/workspaces')).status).toBe(404);
});

describe('event hooks', () => {
  async function dispatcher(handle: (request: IncomingMessage, body: string) => Json): Promise<URL> {
    const server: Server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        response.writeHead(207, { 'content-type': 'application/x-seen', connection: 'close' });
        response.end(JSON.stringify(handle(request, body)));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/base`);
  }

  test('are passed on with path, method, headers and body, and the answer comes back as it is', async () => {
    const eventHooksAdmin = await dispatcher(({ method, url, headers }, body) => ({
      method,
      url,
      x: headers['x-a'],
      body,
    }));
    const admin = await start({ eventHooksAdmin });
    for (const path of ['/event-hooks', '/event-hooks/sources/x?size=2', '/teamA/event-hooks/1']) {
      const answer = await fetch(admin.url + path, {
        method: 'POST',
        body: '{"a":1}',
        headers: { 'x-a': 'b', 'content-type': 'application/json' },
      });
      expect(answer.status).toBe(207);
      expect(answer.headers.get('content-type')).toBe('application/x-seen');
      expect(await answer.json()).toEqual({ method: 'POST', url: `/base${path}`, x: 'b', body: '{"a":1}' });
    }
    expect((await admin.call('GET', '/event-hooks')).body).toMatchObject({ method: 'GET', body: '' });
  });

  test('502 when the dispatcher is gone, 404 when there is none', async () => {
    const gone = await start({ eventHooksAdmin: new URL('http://127.0.0.1:1/') });
    const answer = await gone.call('POST', '/event-hooks', { a: 1 });
    expect(answer.status).toBe(502);
    expect(answer.body['message']).toMatch(
      /dispatcher at http:\/\/127\.0\.0\.1:1\/ cannot be reached: .*ECONNREFUSED/,
    );
    const none = await start({});
    expect((await none.call('GET', '/event-hooks')).body).toEqual({ message: 'Not found' });
    expect((await none.call('GET', '/teamA/event-hooks')).status).toBe(404);
  });
});

describe('what the gateway says about itself', () => {
  test('HEAD and OPTIONS', async () => {
    const admin = await start({});
    const head = await fetch(`${admin.url}/services`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0);
    const options = await fetch(`${admin.url}/services`, { method: 'OPTIONS' });
    expect(options.status).toBe(204);
    expect(options.headers.get('allow')).toBe('GET, HEAD, OPTIONS, POST');
    expect(options.headers.get('access-control-allow-origin')).toBe('*');
  });

  test('TRACE is refused by nginx, a JSON body that is not a table cannot be read', async () => {
    const admin = await start({});
    const { status, type, text } = await new Promise<{ status: number; type: string; text: string }>(
      (resolve, reject) => {
        const request = httpRequest(`${admin.url}/services`, { method: 'TRACE' }, (response) => {
          let body = '';
          response.on('data', (piece: Buffer) => (body += piece.toString()));
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              type: response.headers['content-type'] ?? '',
              text: body,
            }),
          );
        });
        request.on('error', reject).end();
      },
    );
    expect([status, type]).toEqual([405, 'text/html']);
    expect(text).toContain('<h1>405 Not Allowed</h1>');
    for (const body of ['""', '3', 'true']) {
      const answer = await fetch(`${admin.url}/services`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      expect([body, answer.status]).toEqual([body, 500]);
      expect(await answer.json()).toEqual({ message: 'An unexpected error occurred' });
    }
  });

  test('an empty value of a schema is a list, as Lua has it', () => {
    expect(
      schemaToJson({
        fields: [{ m: { type: 'map', default: {}, values: { type: 'string' } } }, { n: {} }],
      } as never),
    ).toEqual({
      entity_checks: [],
      fields: [{ m: { type: 'map', default: [], values: { type: 'string' } } }, { n: {} }],
    });
  });

  test('forms to a schema stay text, as Kong has them', async () => {
    const admin = await start({});
    expect(await admin.call('POST', '/schemas/services/validate', 'host=a&port=80&tags=x')).toMatchObject({
      status: 400,
      body: { fields: { port: 'expected an integer', tags: 'expected a set' } },
    });
  });

  test('schemas and their validation', async () => {
    const admin = await start({});
    const schema = await admin.call('GET', '/schemas/plugins/demo');
    expect(schema.body['fields']).toMatchObject([
      { protocols: { type: 'set' } },
      { config: { required: true } },
    ]);
    expect((await admin.call('GET', '/plugins/schema/demo')).body['fields']).toMatchObject([
      { n: { default: 3 } },
      {},
      {},
      {},
      {},
    ]);
    const fine = await admin.call('POST', '/schemas/plugins/validate', { name: 'demo', config: { n: 2 } });
    expect(fine.body).toEqual({ message: 'schema validation successful' });
    const bad = await admin.call('POST', '/schemas/plugins/validate', { name: 'demo', config: { n: 'x' } });
    expect(bad).toMatchObject({ status: 400, body: { fields: { config: { n: 'expected a number' } } } });
    expect((await admin.call('POST', '/schemas/services/validate', { host: 'h' })).status).toBe(200);
    expect((await admin.call('POST', '/schemas/nope/validate', {})).body).toEqual({
      message: "No entity named 'nope'",
    });
  });
});

describe('upstreams', () => {
  test('the balancer as a whole is healthy or not, by the weight of what is up', async () => {
    const admin = await start({});
    const upstream = await admin.call('POST', '/upstreams', { name: 'b.test' });
    for (const target of ['127.0.0.1:1', '127.0.0.1:2'])
      await admin.call('POST', '/upstreams/b.test/targets', { target });
    const look = async (): Promise<unknown> =>
      (await admin.call('GET', '/upstreams/b.test/health?balancer_health=1')).body['data'];
    expect(await look()).toMatchObject({
      id: upstream.body['id'],
      health: 'HEALTHCHECKS_OFF',
      balancer_health: 'HEALTHY',
      details: {
        healthy: true,
        weight: { total: 200, available: 200, unavailable: 0 },
        hosts: expect.arrayContaining([
          expect.objectContaining({
            port: 1,
            addresses: [{ ip: '127.0.0.1', port: 1, weight: 100, healthy: true }],
          }),
        ]) as unknown,
      },
    });
    const checks = { passive: { unhealthy: { http_failures: 1 } }, threshold: 60 };
    await admin.call('PATCH', '/upstreams/b.test', { healthchecks: checks });
    await admin.call('PUT', '/upstreams/b.test/targets/127.0.0.1:1/unhealthy');
    expect(await look()).toMatchObject({
      health: 'UNHEALTHY',
      details: { healthy: false, weight: { available: 100, unavailable: 100 } },
    });
  });

  test('targets by address, and the health that was set', async () => {
    const admin = await start({});
    await admin.call('POST', '/upstreams', { name: 'up' });
    expect((await admin.call('POST', '/upstreams/up/targets', { target: 'h' })).body).toMatchObject({
      target: 'h:8000',
    });
    expect((await admin.call('POST', '/upstreams/up/targets', { target: 'h:8000' })).status).toBe(409);
    const bad = await admin.call('POST', '/upstreams/up/targets', { target: 'h h' });
    expect(bad.body['message']).toContain('Invalid target; not a valid hostname or ip address');
    expect((await admin.call('PATCH', '/upstreams/up/targets/h:8000', { weight: 5 })).body).toMatchObject({
      weight: 5,
    });
    const health = async (): Promise<unknown> =>
      ((await admin.call('GET', '/upstreams/up/health')).body['data'] as Json[])[0]?.['health'];
    expect(await health()).toBe('HEALTHCHECKS_OFF');
    await admin.call('PATCH', '/upstreams/up', { healthchecks: { active: { healthy: { interval: 1 } } } });
    expect(await health()).toBe('HEALTHY');
    expect((await admin.call('PUT', '/upstreams/up/targets/h:8000/unhealthy')).status).toBe(204);
    expect(await health()).toBe('UNHEALTHY');
    expect((await admin.call('GET', '/upstreams/up/health?balancer_health=1')).body['data']).toMatchObject({
      health: 'UNHEALTHY',
    });
    expect((await admin.call('DELETE', '/upstreams/up/targets/h:8000')).status).toBe(204);
    expect((await admin.call('GET', '/upstreams/up/targets')).body['data']).toEqual([]);
  });

  test('algorithm and hash_on follow each other', async () => {
    const admin = await start({});
    const hashed = await admin.call('POST', '/upstreams', { name: 'a', hash_on: 'ip' });
    expect(hashed.body).toMatchObject({ algorithm: 'consistent-hashing', hash_on: 'ip' });
    const bad = await admin.call('POST', '/upstreams', { name: 'b', hash_on: 'header' });
    expect(bad.body['fields']).toMatchObject({ hash_on_header: 'required field missing' });
  });
});
