import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { anyNumber, anyString, containing, matching } from './support/expected.ts';
import { bench } from './support/setup.ts';

interface Exchange {
  request: { method: string; path: string; body?: unknown };
  response: { status: number; headers: Record<string, string | null>; body: Record<string, unknown> };
}
const { exchanges } = JSON.parse(
  readFileSync(new URL('../fixtures/kong/admin-api-3.9.3.json', import.meta.url), 'utf8'),
) as { exchanges: Exchange[] };
const kong = (method: string, path: string, status: number): Exchange['response'] => {
  const found = exchanges.find(
    ({ request, response }) =>
      request.method === method && request.path.startsWith(path) && response.status === status,
  );
  if (found === undefined) throw new Error('not recorded');
  return found.response;
};
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const valid = {
  source: 'crud',
  event: 'consumers',
  handler: 'webhook-custom',
  config: { url: 'http://127.0.0.1:1/', method: 'POST' },
};

describe('the hook', () => {
  it('has the fields of the documented one, with null for what is unset', async () => {
    const { api } = await bench();
    const { status, body } = await api('POST', '/event-hooks', {
      source: 'crud',
      event: 'consumers',
      handler: 'webhook',
      config: { url: 'http://127.0.0.1:1/x', ssl_verify: false },
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      config: { headers: {}, secret: null, ssl_verify: false, url: 'http://127.0.0.1:1/x' },
      created_at: anyNumber,
      updated_at: anyNumber,
      event: 'consumers',
      handler: 'webhook',
      id: matching(/^[0-9a-f-]{36}$/),
      on_change: null,
      snooze: null,
      source: 'crud',
    });
  });

  it('has the documented defaults for webhook-custom, log and lambda', async () => {
    const { hook } = await bench();
    expect((await hook(valid)).config).toEqual({
      url: 'http://127.0.0.1:1/',
      method: 'POST',
      headers: {},
      headers_format: false,
      payload: null,
      payload_format: true,
      body: null,
      body_format: true,
      secret: null,
      ssl_verify: true,
    });
    expect(await hook({ source: 'x', handler: 'log' })).toMatchObject({ event: null, config: {} });
    expect(
      await hook({
        source: 'x',
        handler: 'lambda',
        config: { functions: ['return function () return true end'] },
      }),
    ).toMatchObject({ config: { functions: [anyString] } });
  });

  it('is read, changed, replaced and deleted', async () => {
    const { api, hook } = await bench();
    const { id } = await hook(valid);
    const at = `/event-hooks/${id}`;
    expect((await api('GET', at)).body).toMatchObject({ id, snooze: null });
    expect(await api('PATCH', at, { snooze: 10, config: { headers: { 'x-a': 'b' } } })).toMatchObject({
      status: 200,
      body: { snooze: 10, config: { method: 'POST', headers: { 'x-a': 'b' } } },
    });
    expect(await api('PATCH', at, { snooze: null })).toMatchObject({ body: { snooze: null } });
    expect(await api('PUT', at, { ...valid, on_change: true })).toMatchObject({
      status: 200,
      body: { id, on_change: true, config: { headers: {} } },
    });
    const other = '11111111-2222-4333-8444-555555555555';
    expect(await api('PUT', `/event-hooks/${other}`, valid)).toMatchObject({
      status: 200,
      body: { id: other },
    });
    expect((await api('DELETE', at)).status).toBe(204);
    expect(await api('DELETE', at)).toMatchObject({ status: 204, body: null });
    for (const method of ['GET', 'PATCH'])
      expect(await api(method, at, method === 'GET' ? undefined : {})).toMatchObject({
        status: 404,
        body: { message: 'Not found' },
      });
  });

  it('may name a source that nobody has published', async () => {
    const { hook } = await bench();
    expect(await hook({ source: 'not-yet', event: 'maybe', handler: 'log' })).toMatchObject({
      source: 'not-yet',
    });
  });

  it('survives a restart of its store as it was', async () => {
    const { dispatcher, hook } = await bench();
    const made = await hook({ ...valid, filter: { 'entity.username': { starts_with: 'a' } }, rate: 5 });
    expect(await dispatcher.store.hooks()).toEqual([made]);
  });
});

describe('bad input', () => {
  const fields = async (body: unknown) => {
    const { api } = await bench();
    const answer = await api<{ data: unknown[]; fields: Record<string, unknown> }>(
      'POST',
      '/event-hooks',
      body,
    );
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      code: 2,
      name: 'schema violation',
      message: matching(/schema violations? \(/),
    });
    expect((await api<{ data: unknown[] }>('GET', '/event-hooks')).body.data).toEqual([]);
    return answer.body.fields;
  };
  it.each([
    [{}, { source: 'required field missing', handler: 'required field missing' }],
    [{ ...valid, handler: 'nope' }, { handler: 'expected one of: webhook, webhook-custom, log, lambda' }],
    [{ ...valid, bogus: 1 }, { bogus: 'unknown field' }],
    [{ ...valid, config: { ...valid.config, bogus: 1 } }, { config: { bogus: 'unknown field' } }],
    [{ ...valid, source: 5 }, { source: 'expected a string' }],
    [{ ...valid, snooze: 'x' }, { snooze: 'expected an integer' }],
    [{ ...valid, snooze: 1.5 }, { snooze: 'expected an integer' }],
    [{ ...valid, snooze: -1 }, { snooze: 'value should be between 0 and 31536000' }],
    [{ ...valid, on_change: 'yes' }, { on_change: 'expected a boolean' }],
    [
      { ...valid, config: {} },
      { config: { url: 'required field missing', method: 'required field missing' } },
    ],
    [{ ...valid, config: 'x' }, { config: 'expected a record' }],
    [{ ...valid, config: { ...valid.config, url: 'nohost' } }, { config: { url: 'missing host in url' } }],
    [
      { ...valid, config: { ...valid.config, url: 'ftp://a/' } },
      { config: { url: 'expected a scheme of http or https' } },
    ],
    [
      { ...valid, config: { ...valid.config, headers: { 'a b': 'c' } } },
      { config: { headers: { 'a b': 'invalid header name' } } },
    ],
    [
      { ...valid, config: { ...valid.config, headers: { a: 'b\r\nc: d' } } },
      { config: { headers: { a: 'invalid header value' } } },
    ],
    [
      { ...valid, config: { ...valid.config, payload: { a: 1 } } },
      { config: { payload: { a: 'expected a string' } } },
    ],
    [
      { source: 'x', handler: 'lambda', config: { functions: [] } },
      { config: { functions: 'length must be at least 1' } },
    ],
    [{ ...valid, filter: { a: { like: 'x' } } }, { filter: { a: { like: 'unknown field' } } }],
  ])('%j', async (body, expected) => {
    expect(await fields(body)).toEqual(expected);
  });

  it('has the shape of a recorded one', async () => {
    const { api } = await bench();
    const { body } = await api('POST', '/event-hooks', { source: 'x', handler: 'webhook', config: {} });
    const recorded = kong('POST', '/plugins', 400).body;
    expect(Object.keys(body).sort()).toEqual(Object.keys(recorded).sort());
    expect(body).toEqual({
      message: 'schema violation (config.url: required field missing)',
      name: recorded.name,
      code: recorded.code,
      fields: { config: { url: 'required field missing' } },
    });
  });

  it('JSON that does not parse, other types, and bodies over 1 MiB', async () => {
    const { api } = await bench();
    const json = { 'content-type': 'application/json' };
    expect(await api('POST', '/event-hooks', '{', json)).toMatchObject({
      status: 400,
      body: { message: 'Cannot parse JSON body' },
    });
    expect(await api('POST', '/event-hooks', `{"source":"${'x'.repeat(1024 * 1024)}"}`, json)).toMatchObject({
      status: 413,
    });
  });

  it('404, 405 and 204 are as recorded', async () => {
    const { api } = await bench();
    expect(await api('GET', '/nosuch')).toMatchObject({
      status: 404,
      body: kong('GET', '/nosuch', 404).body,
      headers: { 'content-type': 'application/json; charset=utf-8' },
    });
    expect(await api('GET', '/event-hooks/nope')).toMatchObject({
      status: 404,
      body: { message: 'Not found' },
    });
    expect(await api('PATCH', '/event-hooks', {})).toMatchObject({
      status: 405,
      body: kong('PATCH', '/status', 405).body,
    });
    const gone = await api('DELETE', '/event-hooks/nope');
    expect(gone.status).toBe(204);
    expect(gone.headers['content-type']).toBeUndefined();
  });
});

describe('form bodies', () => {
  it('are read with dots, lists, booleans and numbers', async () => {
    const { api } = await bench();
    const body =
      'source=crud&event=consumers&handler=webhook-custom&snooze=60&on_change=true&config.url=http%3A%2F%2F127.0.0.1%3A1%2F&config.method=PUT&config.headers.content-type=application/json&config.headers.x.y=z&config.ssl_verify=false&config.payload.text=hi+there';
    expect(await api('POST', '/event-hooks', body, form)).toMatchObject({
      status: 201,
      body: {
        snooze: 60,
        on_change: true,
        config: {
          method: 'PUT',
          headers: { 'content-type': 'application/json', 'x.y': 'z' },
          ssl_verify: false,
          payload: { text: 'hi there' },
        },
      },
    });
  });
  it.each(['config.functions=A', 'config.functions[]=A', 'config.functions[1]=A'])(
    'take a scalar for an array field: %s',
    async (name) => {
      const { api } = await bench();
      const lua = encodeURIComponent('return function () return true end');
      expect(
        await api('POST', '/event-hooks', `source=x&handler=lambda&${name.replace('A', lua)}`, form),
      ).toMatchObject({
        status: 201,
        body: { config: { functions: ['return function () return true end'] } },
      });
    },
  );
  it('multipart bodies are read, too', async () => {
    const { api } = await bench();
    const part = (name: string, value: string) =>
      `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const body = `${part('source', 'x')}${part('handler', 'log')}--B--\r\n`;
    expect(
      await api('POST', '/event-hooks', body, { 'content-type': 'multipart/form-data; boundary=B' }),
    ).toMatchObject({ status: 201, body: { source: 'x' } });
  });
  it('cannot reach prototypes', async () => {
    const { api } = await bench();
    expect(
      (await api('POST', '/event-hooks', 'source=x&handler=log&__proto__.polluted=1', form)).status,
    ).toBe(400);
    expect({}).not.toHaveProperty('polluted');
  });
});

describe('pages, paths, access', () => {
  it("pages by size and offset, in Kong's shape", async () => {
    const { api, hook } = await bench();
    const ids = new Set<string>();
    for (let i = 0; i < 5; i += 1) ids.add((await hook({ source: 's', handler: 'log' })).id);
    interface Page {
      data: { id: string }[];
      next: string | null;
      offset?: string;
    }
    const seen: string[] = [];
    let next: string | null = '/event-hooks?size=2';
    let pages = 0;
    while (next !== null) {
      const { body }: { body: Page } = await api<Page>('GET', next);
      seen.push(...body.data.map((one) => one.id));
      if (body.next !== null) expect(body.next).toBe(`/event-hooks?offset=${body.offset ?? ''}&size=2`);
      next = body.next;
      pages += 1;
    }
    expect(pages).toBe(3);
    expect(new Set(seen)).toEqual(ids);
    expect((await api('GET', '/event-hooks?size=0')).status).toBe(400);
    expect((await api('GET', '/event-hooks?offset=nonsense')).status).toBe(400);
  });

  it('every path exists under a workspace', async () => {
    const { api, hook } = await bench();
    const { id } = await hook({ source: 's', handler: 'log' });
    expect((await api('GET', '/team-a/event-hooks')).body.data).toHaveLength(1);
    expect((await api('GET', `/team-a/event-hooks/${id}`)).status).toBe(200);
    expect((await api('GET', '/team-a/event-hooks/sources/balancer/health')).body).toEqual({
      data: {
        fields: ['upstream_id', 'ip', 'port', 'hostname', 'health'],
        unique: ['upstream_id', 'ip', 'port'],
      },
    });
    expect((await api('DELETE', `/team-a/event-hooks/${id}`)).status).toBe(204);
  });

  it('with a token set, everything else gets 401', async () => {
    const { api } = await bench({}, 'the-token');
    for (const path of ['/event-hooks', '/event-hooks/sources', '/metrics', '/nosuch', '/w/event-hooks']) {
      expect(await api('GET', path)).toMatchObject({ status: 401, body: { message: 'Unauthorized' } });
      expect((await api('GET', path, undefined, { 'kong-admin-token': 'the-toke' })).status).toBe(401);
    }
    expect((await api('GET', '/event-hooks', undefined, { 'kong-admin-token': 'the-token' })).status).toBe(
      200,
    );
  });

  it('ping answers what was sent, 400 where there is no ping, 404, 502', async () => {
    const { api, hook, receiver } = await bench();
    const { id } = await hook({ source: 's', handler: 'webhook', config: { url: receiver.url('/p') } });
    await receiver.untilTrue(() => receiver.received.length === 1);
    const { body } = await api('GET', `/event-hooks/${id}/ping`);
    expect(body).toMatchObject({ source: 'kong:event_hooks', event: 'ping', event_hooks: { id } });
    expect(JSON.parse(receiver.received[1]?.body ?? '')).toEqual(body);
    const log = await hook({ source: 's', handler: 'log' });
    expect((await api('GET', `/event-hooks/${log.id}/ping`)).status).toBe(400);
    expect((await api('GET', '/event-hooks/nope/ping')).status).toBe(404);
    const dead = await hook({ source: 's', handler: 'webhook', config: { url: 'http://127.0.0.1:1/' } });
    expect((await api('GET', `/event-hooks/${dead.id}/ping`)).status).toBe(502);
    expect((await api('POST', `/event-hooks/${dead.id}/test`, { a: 1 })).body).toMatchObject({
      data: { a: 1, source: 's' },
      result: { error: containing('ECONNREFUSED') },
    });
  });

  it('the OpenAPI document describes the methods that each path answers', async () => {
    const { api, admin } = await bench();
    const { body } = await api<{ openapi: string; paths: Record<string, object> }>(
      'GET',
      '/event-hooks/openapi.json',
    );
    expect(body.openapi).toBe('3.1.0');
    expect(Object.keys(body.paths)).toContain('/event-hooks/deliveries/{id}/replay');
    for (const [path, item] of Object.entries(body.paths)) {
      const described = Object.keys(item).filter((key) => key !== 'parameters');
      const { headers } = await admin.inject({ method: 'OPTIONS', url: path.replace(/\{\w+\}/g, 'x') });
      const answered = String(headers.allow)
        .split(', ')
        .filter((method) => method !== 'HEAD' && method !== 'OPTIONS');
      expect(described.map((method) => method.toUpperCase()).sort(), path).toEqual(answered);
    }
  });

  it('metrics and status tell what happened, without secrets', async () => {
    const { api, hook, hub, receiver, log, settled, admin } = await bench();
    const secrets = {
      secret: 'hush-hush',
      url: receiver.url('/m?key=q-secret'),
      headers: { authorization: 'Bearer t0k' },
    };
    const { id } = await hook({ source: 's', handler: 'webhook', snooze: 60, config: secrets });
    hub.emit('s', 'e', { a: 1 });
    hub.emit('s', 'e', { a: 2 });
    await settled();
    const metrics = (await admin.inject({ url: '/metrics' })).body;
    const labels = `{hook="${id}",handler="webhook",source="s"}`;
    for (const line of [
      `fired_total${labels} 2`,
      `suppressed_total${labels} 1`,
      `delivered_total${labels} 2`,
      `queue_length${labels} 0`,
    ])
      expect(metrics).toContain(`kong_ts_event_hooks_${line}`);
    expect((await api('GET', '/event-hooks/status')).body).toMatchObject({
      store: 'memory',
      durable: false,
      delivering: true,
      hooks: 1,
      unfinished: 0,
    });
    const records = JSON.stringify((await api('GET', `/event-hooks/${id}/deliveries`)).body);
    for (const text of [metrics, records, JSON.stringify(log.lines)])
      expect(text).not.toMatch(/hush-hush|q-secret|t0k/);
    await api('DELETE', `/event-hooks/${id}`);
    expect((await admin.inject({ url: '/metrics' })).body).not.toContain(id);
  });
});
