import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { bench } from './support/setup.ts';
import type { Bench } from './support/setup.ts';

const id = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
const json = (b: Bench, method: string, url: string, text: string) =>
  b.api(method, url, text, { 'content-type': 'application/json' });

interface OpenApi {
  openapi: string;
  components: { schemas: object };
  paths: Record<
    string,
    { parameters?: { name: string }[] } & Record<
      string,
      { operationId: string; summary: string; responses: Record<string, { description?: string }> }
    >
  >;
}

/** Sends a path as it is, which `fetch` and `inject` would normalize. */
async function raw(b: Bench, path: string): Promise<{ status: number | undefined; body: string }> {
  if (!b.admin.server.listening) await b.admin.listen({ host: '127.0.0.1', port: 0 });
  const { port } = b.admin.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => {
        resolve({ status: response.statusCode, body });
      });
    })
      .on('error', reject)
      .end();
  });
}

describe("manners of Kong's Admin API", () => {
  it('HEAD is GET without a body, a slash at the end is none', async () => {
    const b = await bench();
    const { statusCode, body, headers } = await b.admin.inject({ method: 'HEAD', url: '/event-hooks' });
    expect([statusCode, body, headers['content-type']]).toEqual([200, '', 'application/json; charset=utf-8']);
    expect((await b.admin.inject({ method: 'HEAD', url: `/event-hooks/${id}` })).statusCode).toBe(404);
    expect((await b.admin.inject({ url: '/event-hooks/' })).json()).toEqual({ data: [], next: null });
    expect((await b.admin.inject({ url: '/ws/event-hooks/?size=1' })).statusCode).toBe(200);
    const options = await b.admin.inject({ method: 'OPTIONS', url: '/event-hooks' });
    expect([options.statusCode, options.headers.allow]).toEqual([204, 'GET, HEAD, OPTIONS, POST']);
  });

  it('a path that is none is not found', async () => {
    const b = await bench();
    expect(await raw(b, '/event-hooks/%zz')).toEqual({ status: 404, body: '{"message":"Not found"}' });
    expect((await raw(b, `/event-hooks/${'a'.repeat(3000)}`)).status).toBe(404);
  });

  it('sizes and offsets', async () => {
    const b = await bench();
    const text = 'size must be an integer between 1 and 1000';
    for (const size of ['0', '1001', '1.5']) {
      expect((await b.api('GET', `/event-hooks?size=${size}`)).body).toEqual({
        message: text,
        name: 'invalid size',
        code: 9,
      });
    }
    expect((await b.api('GET', '/event-hooks?size=x')).body).toMatchObject({
      message: 'size must be a number',
    });
    expect(await b.api('GET', '/event-hooks?offset=zz')).toMatchObject({
      status: 400,
      body: { message: "'zz' is not a valid offset: bad offset", name: 'invalid offset', code: 7 },
    });
  });

  it('a body that is not an object is refused, whatever the call', async () => {
    const b = await bench();
    const hook = await b.hook({ source: 's', handler: 'log' });
    for (const body of ['[]', '[1]', 'null', '7', '"x"', 'true', '', '{"a":']) {
      if (body === '') continue;
      for (const [method, url] of [
        ['POST', '/event-hooks'],
        ['PATCH', `/event-hooks/${hook.id}`],
        ['PUT', `/event-hooks/${id}`],
        ['POST', `/event-hooks/${hook.id}/test`],
        ['POST', `/event-hooks/${hook.id}/replay`],
        ['POST', '/event-hooks/events'],
      ] as const) {
        const answer = await json(b, method, url, body);
        expect([method, url, body, answer.status, answer.body]).toEqual([
          method,
          url,
          body,
          400,
          { message: 'Cannot parse JSON body' },
        ]);
      }
    }
    expect((await b.api<{ data: unknown[] }>('GET', '/event-hooks')).body.data).toHaveLength(1);
  });

  it('POST takes an id over; one that is taken or none is refused', async () => {
    const b = await bench();
    const fields = { id, source: 's', handler: 'log' };
    expect((await b.api('POST', '/event-hooks', fields)).body).toMatchObject({ id });
    expect(await b.api('POST', '/event-hooks', fields)).toMatchObject({
      status: 400,
      body: { name: 'primary key violation', code: 3, fields: { id } },
    });
    expect(await b.api('POST', '/event-hooks', { ...fields, id: 'x' })).toMatchObject({
      status: 400,
      body: { code: 2, fields: { id: 'expected a valid UUID' } },
    });
  });

  it('changes of one hook at the same time lose nothing, and nothing comes back from the dead', async () => {
    const b = await bench();
    const hook = await b.hook({
      source: 's',
      handler: 'lambda',
      config: { functions: ['return function() return true end'] },
    });
    const url = `/event-hooks/${hook.id}`;
    await Promise.all([
      b.api('PATCH', url, { snooze: 5 }),
      b.api('PATCH', url, { on_change: true }),
      b.api('PATCH', url, { event: 'e' }),
    ]);
    expect((await b.api('GET', url)).body).toMatchObject({ snooze: 5, on_change: true, event: 'e' });
    const [patched] = await Promise.all([b.api('PATCH', url, { snooze: 6 }), b.api('DELETE', url)]);
    expect([200, 404]).toContain(patched.status);
    expect((await b.api('GET', url)).status).toBe(404);
    expect(await b.dispatcher.store.hooks()).toEqual([]);
  });

  it('a test sends what a delivery would: without nulls', async () => {
    const b = await bench();
    const hook = await b.hook({ source: 's', handler: 'webhook', config: { url: b.receiver.url('/t') } });
    const posted = { n: 1, none: null, deep: { none: null, list: [null] } };
    const { body } = await b.api('POST', `/event-hooks/${hook.id}/test`, posted);
    expect(body).toMatchObject({ data: { ...posted, event: 'test', source: 's' }, result: { status: 200 } });
    expect(b.receiver.bodies('/t')).toEqual([{ n: 1, deep: { list: [null] }, event: 'test', source: 's' }]);
  });

  it('the OpenAPI document is whole: references, parameters, names and descriptions', async () => {
    const b = await bench();
    const { body } = await b.api<OpenApi>('GET', '/event-hooks/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    for (const [, name] of JSON.stringify(body).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(Object.keys(body.components.schemas)).toContain(name);
    }
    const ids: string[] = [];
    for (const [path, { parameters = [], ...operations }] of Object.entries(body.paths)) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect([path, parameters.map((one) => one.name)]).toEqual([path, inPath]);
      for (const { operationId, summary, responses } of Object.values(operations)) {
        ids.push(operationId);
        expect(summary).not.toBe('');
        expect(Object.values(responses).map(({ description }) => description)).not.toContain(undefined);
      }
    }
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('a delivery shows its attempts', async () => {
    const b = await bench({ retrySchedule: [0.01, 0.01] });
    b.receiver.answer = (_request, response) => {
      response.statusCode = b.receiver.at('/x').length < 3 ? 500 : 200;
      response.end();
    };
    const hook = await b.hook({
      source: 's',
      handler: 'webhook-custom',
      config: { url: b.receiver.url('/x'), method: 'PUT' },
    });
    b.hub.emit('s', 'e', {});
    await b.receiver.until('/x', 3);
    await b.settled();
    const list = await b.api<{ data: { id: string }[] }>('GET', `/event-hooks/${hook.id}/deliveries`);
    const one = await b.api<{
      history: { attempt: number; status: number; error: string | null; at: number }[];
    }>('GET', `/event-hooks/deliveries/${list.body.data[0]?.id ?? ''}`);
    expect(one.body.history.map((a) => [a.attempt, a.status, a.error])).toEqual([
      [1, 500, 'status 500'],
      [2, 500, 'status 500'],
      [3, 200, null],
    ]);
    expect(one.body.history[0]?.at).toBeGreaterThan(1e9);
  });
});
