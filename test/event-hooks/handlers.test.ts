import { describe, expect, it } from 'vitest';
import { containing, having } from './support/expected.ts';
import { Webhook } from 'standardwebhooks';
import { createHmac } from 'node:crypto';
import { bench } from './support/setup.ts';

const custom = (
  receiver: { url(path?: string): string },
  config: Record<string, unknown>,
): Record<string, unknown> => ({
  source: 'crud',
  event: 'consumers',
  handler: 'webhook-custom',
  config: { url: receiver.url('/c'), method: 'POST', ...config },
});
const created = {
  operation: 'create',
  entity: { username: 'a"<b>/\'&', tags: ['x', 'y'], custom_id: null },
  schema: 'consumers',
};

describe('webhook', () => {
  it('POSTs fields, source and event, without nulls', async () => {
    const { hook, hub, receiver } = await bench();
    await hook({
      source: 'crud',
      event: 'consumers',
      handler: 'webhook',
      config: { url: receiver.url('/w?a=1'), headers: { 'X-A': 'b' } },
    });
    hub.emit('crud', 'consumers', { ...created, old_entity: null });
    const [got] = await receiver.until('/w?a=1', 1);
    expect(got).toMatchObject({
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-a': 'b' },
    });
    expect(JSON.parse(got?.body ?? '')).toEqual({
      entity: { username: 'a"<b>/\'&', tags: ['x', 'y'] },
      schema: 'consumers',
      operation: 'create',
      source: 'crud',
      event: 'consumers',
    });
    expect(got?.headers['webhook-id']).toMatch(/^[0-9a-f]{32}_/);
    expect(Number(got?.headers['webhook-timestamp'])).toBeGreaterThan(1e9);
    expect(got?.headers).not.toHaveProperty('x-kong-signature');
  });

  it('sends a ping with operation create when it is made, without its secret', async () => {
    const { hook, receiver } = await bench();
    const made = await hook({
      source: 'crud',
      handler: 'webhook',
      config: { url: receiver.url('/w'), secret: 'hush', headers: { authorization: 'Bearer t0k' } },
    });
    await receiver.untilTrue(() => receiver.received.length === 1);
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({
      source: 'kong:event_hooks',
      event: 'ping',
      operation: 'create',
      event_hooks: { id: made.id, handler: 'webhook', config: { url: receiver.url('/w') } },
    });
    expect(receiver.received[0]?.body).not.toMatch(/hush|t0k/);
    expect(receiver.received[0]?.headers.authorization).toBe('Bearer t0k');
  });

  it('signs as Kong (SHA-256, SHA-1 on request) and as Standard Webhooks, also during rotation', async () => {
    const { hook, hub, receiver, api } = await bench();
    const old = `whsec_${Buffer.from('the old secret').toString('base64')}`;
    const fresh = 'a raw new secret';
    const made = await hook({
      source: 's',
      handler: 'webhook',
      config: { url: receiver.url('/w'), secret: old },
    });
    hub.emit('s', 'e', { n: 1 });
    await receiver.until('/w', 1);
    await api('PATCH', `/event-hooks/${made.id}`, {
      config: { secret: fresh, previous_secrets: [old], signature: 'sha1' },
    });
    hub.emit('s', 'e', { n: 2, ä: '€' });
    const [first, second] = await receiver.until('/w', 2);
    if (first === undefined || second === undefined) throw new Error('two requests');
    const hmac = (algorithm: string, secret: string, body: string) =>
      createHmac(algorithm, secret).update(body).digest('hex');
    expect(first.headers['x-kong-signature']).toBe(hmac('sha256', old, first.body));
    expect(second.headers['x-kong-signature']).toBe(hmac('sha1', fresh, second.body));
    const headers = (h: Record<string, unknown>) => h as Record<string, string>;
    expect(new Webhook(old).verify(first.body, headers(first.headers))).toMatchObject({ n: 1 });
    expect(new Webhook(old).verify(second.body, headers(second.headers))).toMatchObject({ n: 2 });
    expect(new Webhook(fresh, { format: 'raw' }).verify(second.body, headers(second.headers))).toMatchObject({
      n: 2,
    });
    expect(() =>
      new Webhook(fresh, { format: 'raw' }).verify(`${second.body} `, headers(second.headers)),
    ).toThrow();
  });
});

describe('webhook-custom', () => {
  it('fills payload in and sends it as JSON, escaped for JSON only', async () => {
    const { hook, hub, receiver } = await bench();
    await hook(
      custom(receiver, {
        payload: {
          text: 'new: {{ entity.username }}',
          list: '{{ entity.tags }}',
          none: '{{ nothing.here }}',
          first: '{* entity.tags[1] *}',
        },
      }),
    );
    hub.emit('crud', 'consumers', created);
    const [got] = await receiver.until('/c', 1);
    expect(got?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(got?.body ?? '')).toEqual({
      text: `new: ${created.entity.username}`,
      list: '["x","y"]',
      none: '',
      first: 'x',
    });
  });

  it('sends payload as a form, percent-encoded', async () => {
    const { hook, hub, receiver } = await bench();
    await hook(
      custom(receiver, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        payload: { user: '{{ entity.username }}', raw: '{* entity.username *}' },
      }),
    );
    hub.emit('crud', 'consumers', created);
    const [got] = await receiver.until('/c', 1);
    expect(got?.method).toBe('PUT');
    const form = new URLSearchParams(got?.body);
    expect(form.get('user')).toBe(created.entity.username);
    expect(form.get('raw')).toBe(created.entity.username);
  });

  it('prefers body to payload; escapes by content type; fills headers in only when told to', async () => {
    const { hook, hub, receiver } = await bench();
    await hook(
      custom(receiver, {
        body: '{"u":"{{ entity.username }}"}',
        payload: { not: 'sent' },
        headers: { 'x-op': '{{ operation }}' },
        headers_format: true,
      }),
    );
    await hook({
      ...custom(receiver, {
        body: '<p>{{ entity.username }}</p>',
        headers: { 'content-type': 'text/html', 'x-op': '{{ operation }}' },
      }),
      source: 'crud',
      event: 'plugins',
    });
    hub.emit('crud', 'consumers', created);
    hub.emit('crud', 'plugins', created);
    const got = await receiver.until('/c', 2);
    const json = got.find((one) => one.body.startsWith('{'));
    const html = got.find((one) => one.body.startsWith('<'));
    expect(JSON.parse(json?.body ?? '')).toEqual({ u: created.entity.username });
    expect(json?.headers['x-op']).toBe('create');
    expect(html?.body).toBe('<p>a&quot;&lt;b&gt;&#47;&#39;&amp;</p>');
    expect(html?.headers['x-op']).toBe('{{ operation }}');
  });

  it('leaves text alone where the format switches are off', async () => {
    const { hook, hub, receiver } = await bench();
    await hook(custom(receiver, { payload: { a: '{{ operation }}' }, payload_format: false }));
    await hook({ ...custom(receiver, { body: '{{ x', body_format: false }), event: 'plugins' });
    hub.emit('crud', 'consumers', created);
    hub.emit('crud', 'plugins', created);
    const bodies = (await receiver.until('/c', 2)).map((one) => one.body).sort();
    expect(bodies).toEqual(['{"a":"{{ operation }}"}', '{{ x']);
  });

  it('refuses templates that do not parse, naming the field', async () => {
    const { api, receiver } = await bench();
    const { status, body } = await api(
      'POST',
      '/event-hooks',
      custom(receiver, { payload: { a: '{{ os.execute("x") }}' }, body: '{{ open' }),
    );
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 2,
      name: 'schema violation',
      fields: {
        config: {
          payload: { a: containing('is not a path') },
          body: containing('never closed'),
        },
      },
    });
    expect((await api<{ data: unknown[] }>('GET', '/event-hooks')).body.data).toEqual([]);
  });
});

describe('log', () => {
  it('writes one line at level notice with event, source, payload and pid', async () => {
    const { hook, hub, log, settled } = await bench();
    await hook({ source: 's', event: 'e', handler: 'log' });
    hub.emit('s', 'e', { a: 1 });
    await settled();
    expect(log.lines.filter((line) => line.message === 'event hook')).toEqual([
      {
        level: 'notice',
        message: 'event hook',
        fields: having({
          event: 'e',
          source: 's',
          payload: { a: 1, source: 's', event: 'e' },
          pid: process.pid,
        }),
      },
    ]);
  });
});

describe('lambda', () => {
  it('runs functions in order with data, event, source and pid; the first failure fails the delivery', async () => {
    const { hook, hub, api, settled } = await bench();
    const ok = `return function (data, event, source, pid) return data.n == 1 and event == "e" and source == "s" and pid == ${String(process.pid)} end`;
    const good = await hook({ source: 's', event: 'e', handler: 'lambda', config: { functions: [ok] } });
    const bad = await hook({
      source: 's',
      event: 'e',
      handler: 'lambda',
      config: { functions: [ok, 'return function () return 5 end', 'return function () error("never") end'] },
    });
    hub.emit('s', 'e', { n: 1 });
    await settled();
    const record = async (id: string) =>
      (await api<{ data: Record<string, unknown>[] }>('GET', `/event-hooks/${id}/deliveries`)).body.data[0];
    expect(await record(good.id)).toMatchObject({ state: 'delivered', attempts: 1 });
    expect(await record(bad.id)).toMatchObject({
      state: 'waiting',
      error: 'function 2 returned 5 instead of true',
    });
    expect((await api('POST', `/event-hooks/${good.id}/test`, { n: 1 })).body).toEqual({
      data: { n: 1, event: 'e', source: 's' },
      result: true,
    });
    expect((await api('POST', `/event-hooks/${bad.id}/test`, { n: 1 })).body.result).toEqual({
      error: 'function 2 returned 5 instead of true',
    });
  });

  it('stops loops, memory bombs and what is not there, and says so', async () => {
    const { hook, api } = await bench({ lambdaTimeoutMs: 100 });
    const result = async (code: string) => {
      const { id } = await hook({
        source: 's',
        handler: 'lambda',
        config: { functions: [`return function () ${code} end`] },
      });
      return ((await api('POST', `/event-hooks/${id}/test`, {})).body.result as { error: string }).error;
    };
    expect(await result('while true do end')).toMatch(/time limit/);
    expect(await result('local t = {} while true do t[#t+1] = string.rep("x", 1000000) .. #t end')).toMatch(
      /memory|time limit/,
    );
    expect(await result('os.execute("true") return true')).toMatch(/execute/);
    expect(await result('return require("socket") ~= nil')).toMatch(/require/);
  });

  it('refuses Lua that does not parse', async () => {
    const { api } = await bench();
    const { status, body } = await api('POST', '/event-hooks', {
      source: 's',
      handler: 'lambda',
      config: { functions: ['return function ('] },
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      fields: { config: { functions: containing('does not parse') } },
    });
  });
});
