import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { handlerKinds } from '../../../src/event-hooks/handlers/kinds.ts';
import { ManualClock } from '../support/clock.ts';
import { bench } from '../support/setup.ts';

const draft = { source: 's', event: 'e', handler: 'webhook', config: { url: 'http://127.0.0.1:1/' } };

describe('a hook that is being written', () => {
  it('is checked as a whole, and Lua and templates also while other fields are missing', async () => {
    const b = await bench();
    const check = async (hook: object, id?: string) =>
      (
        await b.api<{ valid: boolean; fields: Record<string, unknown> }>(
          'POST',
          '/event-hooks/drafts/check',
          {
            hook,
            ...(id === undefined ? {} : { id }),
          },
        )
      ).body;
    expect(await check(draft)).toEqual({ valid: true, message: null, fields: {} });
    expect(await check({})).toMatchObject({
      valid: false,
      fields: { source: 'required field missing', handler: 'required field missing' },
    });
    const lua = (source: string) => ({ handler: 'lambda', config: { functions: [source] } });
    expect((await check(lua('return function ('))).fields).toMatchObject({
      source: 'required field missing',
      config: { functions: expect.stringContaining('lua:1:') as string },
    });
    expect((await check({ ...lua('return function () return true end'), source: 's' })).valid).toBe(true);
    const custom = {
      handler: 'webhook-custom',
      config: { url: 'http://127.0.0.1:1/', method: 'POST', body: '{{ a' },
    };
    expect((await check(custom)).fields).toMatchObject({
      source: 'required field missing',
      config: { body: expect.stringContaining('never closed') as string },
    });
    expect((await check({ ...draft, config: { url: 'http://169.254.169.254/' } })).fields).toMatchObject({
      config: { url: expect.any(String) as string },
    });
    expect((await b.api('POST', '/event-hooks/drafts/check', { hook: 'x' })).status).toBe(400);
    expect(b.dispatcher.hooks.list()).toEqual([]);
  });

  it('would have fired for so many of the latest events', async () => {
    const b = await bench();
    await b.hook({ source: 's', handler: 'log' });
    await b.hook({ source: 'crud', handler: 'log' });
    for (let n = 0; n < 6; n += 1) b.hub.emit('s', n === 5 ? 'f' : 'e', { n });
    for (const operation of ['create', 'update', 'update'])
      b.hub.emit('crud', 'consumers', { operation, entity: { username: operation } });
    await b.settled();
    const match = async (hook: object, last?: number) =>
      (await b.api<Record<string, unknown>>('POST', '/event-hooks/drafts/match', { hook, last })).body;
    expect(await match({ source: 's', filter: { n: { gte: 3 } } })).toMatchObject({
      events: 6,
      fired: 3,
      reason: null,
      examples: [{ event: 'f', fires: true }, { fires: true }, { fires: true }, { fires: false }, {}, {}],
    });
    expect(await match({ source: 's', event: 'e', filter: { event: 'e', n: { lt: 1 } } })).toMatchObject({
      events: 5,
      fired: 1,
    });
    expect(await match({ source: 's' }, 2)).toMatchObject({ events: 2, fired: 2 });
    expect(
      await match({ source: 'crud', event: 'consumers:update', filter: { event: 'consumers:update' } }),
    ).toMatchObject({ events: 2, fired: 2 });
    expect(await match({ source: 'nobody' })).toMatchObject({
      events: 0,
      reason: expect.stringContaining('No event') as string,
    });
    for (const body of [
      { hook: {} },
      { hook: { source: 's', filter: { n: { near: 1 } } } },
      { hook: draft, last: 0 },
    ])
      expect((await b.api('POST', '/event-hooks/drafts/match', body)).status).toBe(400);
  });

  it('is rendered on a real event, or on what is posted', async () => {
    const b = await bench();
    await b.hook({ source: 's', handler: 'log' });
    b.hub.emit('s', 'e', { name: 'a "b"', id: '12345678901234567890' });
    await b.settled();
    const events = await b.api<{ data: { id: string; payload: object }[] }>(
      'GET',
      '/event-hooks/events?source=s',
    );
    const [event] = events.body.data;
    expect(event).toMatchObject({ event: 'e', payload: { name: 'a "b"' } });
    const hook = {
      ...draft,
      handler: 'webhook-custom',
      config: {
        url: 'http://127.0.0.1:1/x',
        method: 'PUT',
        body: '{"who":"{{ name }}","what":"{{ event }}"}',
        headers: { 'X-Id': '{{ id }}' },
        headers_format: true,
      },
    };
    const render = (more: object) => b.api('POST', '/event-hooks/drafts/render', { hook, ...more });
    expect((await render({ event_id: event?.id })).body).toEqual({
      request: {
        method: 'PUT',
        url: 'http://127.0.0.1:1/x',
        headers: { 'x-id': '12345678901234567890', 'content-type': 'application/json' },
        body: '{"who":"a \\"b\\"","what":"e"}',
      },
      event_id: event?.id,
    });
    expect((await render({ data: { name: 'posted' } })).body).toMatchObject({
      request: { body: '{"who":"posted","what":"e"}' },
    });
    expect((await render({ event_id: 'nothing' })).status).toBe(400);
    expect(
      (await b.api('POST', '/event-hooks/drafts/render', { hook: draft, data: { a: 1 } })).body,
    ).toMatchObject({
      request: { method: 'POST', body: '{"a":1,"event":"e","source":"s"}' },
    });
    const log = { ...draft, handler: 'log', config: {} };
    expect((await b.api('POST', '/event-hooks/drafts/render', { hook: log })).status).toBe(400);
    expect(await b.api('GET', '/event-hooks/events?source=nobody')).toMatchObject({
      body: { data: [], reason: expect.any(String) as string },
    });
    for (const query of ['', '?source=s&size=0', '?source=s&size=101'])
      expect((await b.api('GET', `/event-hooks/events${query}`)).status).toBe(400);
  });

  it('sends a test before it is saved, and is refused where it could not be saved', async () => {
    const b = await bench();
    const hook = { ...draft, config: { url: b.receiver.url('/x'), secret: 'shh' } };
    const test = (body: object) => b.api('POST', '/event-hooks/drafts/test', body);
    expect((await test({ hook, data: { a: 1 } })).body).toMatchObject({
      data: { a: 1, event: 'e', source: 's' },
      result: { status: 200, body: 'ok' },
    });
    expect(b.receiver.bodies('/x')).toEqual([{ a: 1, event: 'e', source: 's' }]);
    expect((await test({ hook: { ...hook, config: {} } })).status).toBe(400);
    expect((await test({ hook: { ...hook, config: { url: 'http://169.254.169.254/' } } })).status).toBe(400);
    expect(b.receiver.received).toHaveLength(1);
    expect(b.dispatcher.hooks.list()).toEqual([]);
    const closed = await bench({ allowLoopback: false });
    const answer = await closed.api('POST', '/event-hooks/drafts/test', {
      hook: { ...hook, config: { url: 'http://localhost:1/' } },
    });
    expect(JSON.stringify(answer.body)).toContain('refused');
  });

  it('uses no stored event for whoever sees no payloads', async () => {
    const b = await bench({}, null, handlerKinds, { payloadView: 'none' });
    await b.hook({ source: 's', handler: 'log' });
    b.hub.emit('s', 'e', { word: 'classified' });
    await b.settled();
    const events = await b.api<{ data: { id: string }[] }>('GET', '/event-hooks/events?source=s');
    expect(JSON.stringify(events.body)).not.toContain('classified');
    const body = { hook: draft, event_id: events.body.data[0]?.id };
    for (const path of ['render', 'test'])
      expect((await b.api('POST', `/event-hooks/drafts/${path}`, body)).status).toBe(403);
    // Which events a filter lets through tells what they hold, letter by letter.
    const match = (filter?: object) =>
      b.api('POST', '/event-hooks/drafts/match', { hook: { source: 's', filter } });
    expect((await match({ word: { starts_with: 'c' } })).status).toBe(403);
    for (const filter of [undefined, {}])
      expect(await match(filter)).toMatchObject({ status: 200, body: { events: 1, fired: 1 } });
  });

  it('lets other work go on while many large events are looked at', async () => {
    const b = await bench();
    const list = Array.from({ length: 1000 }, (_, n) => ({ n, word: 'some word', more: [1, 2, 3] }));
    const payload = JSON.stringify({ list });
    const one = { id: 'x', source: 's', event: 'e', at: 0, payload };
    b.dispatcher.store.recentEvents = () => Promise.resolve(Array.from({ length: 200 }, () => one));
    let turns = 0;
    const turn = (): void => {
      turns += 1;
      timer = setImmediate(turn);
    };
    let timer = setImmediate(turn);
    const judged = await b.dispatcher.drafts.match({ source: 's', filter: { 'list.n': 5 } }, 200);
    clearImmediate(timer);
    expect(judged).toHaveLength(200);
    expect(turns).toBeGreaterThan(1);
  });
});

describe('a secret that is rotated', () => {
  it('signs beside the old one until its time is over, and then alone', async () => {
    const clock = new ManualClock();
    const b = await bench({ clock });
    const old = `whsec_${Buffer.from('the old secret of a hook').toString('base64')}`;
    const { id } = await b.hook({
      source: 's',
      event: 'e',
      handler: 'webhook',
      config: { url: b.receiver.url('/x'), secret: old },
    });
    const rotate = (body: object) =>
      b.api<{ secret: string }>('POST', `/event-hooks/${id}/rotate-secret`, body);
    const { status, body } = await rotate({ overlap_seconds: 3600 });
    expect([status, body]).toMatchObject([
      200,
      { event_hook: { id }, previous_secrets_until: clock.now() / 1000 + 3600 },
    ]);
    expect(body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
    const accepted = async (count: number): Promise<boolean[]> => {
      b.hub.emit('s', 'e', {});
      const sent = (await b.receiver.until('/x', count)).at(-1);
      return [old, body.secret].map((secret) => {
        // The library looks at the clock of the machine.
        const real = Date.now;
        Date.now = () => clock.now();
        try {
          new Webhook(secret).verify(sent?.body ?? '', sent?.headers as Record<string, string>);
          return true;
        } catch {
          return false;
        } finally {
          Date.now = real;
        }
      });
    };
    expect(await accepted(1)).toEqual([true, true]);
    await clock.advance(3_600_000);
    expect(await accepted(2)).toEqual([false, true]);
    // The next rotation forgets what does not sign any more.
    await rotate({ secret: 'third', overlap_seconds: 60 });
    expect(b.dispatcher.hooks.get(id)?.config).toMatchObject({
      secret: 'third',
      previous_secrets: [body.secret],
    });
    await rotate({ secret: 'fourth', overlap_seconds: 0 });
    const { config } = b.dispatcher.hooks.get(id) ?? {};
    expect(config).toMatchObject({ secret: 'fourth' });
    expect(config).not.toHaveProperty('previous_secrets');
    expect(config).not.toHaveProperty('previous_secrets_until');
  });

  it('is refused for a handler without one, and with what it cannot understand', async () => {
    const b = await bench();
    const { id } = await b.hook({ source: 's', handler: 'log' });
    const hook = await b.hook(draft);
    expect((await b.api('POST', `/event-hooks/${id}/rotate-secret`, {})).status).toBe(400);
    for (const body of [
      { overlap_seconds: -1 },
      { overlap_seconds: 2_592_001 },
      { overlap_seconds: '' },
      { overlap_seconds: [] },
      { overlap_seconds: false },
      { secret: 5 },
      { secret: '' },
      { x: 1 },
      { secret: 'whsec_%' },
    ])
      expect([body, (await b.api('POST', `/event-hooks/${hook.id}/rotate-secret`, body)).status]).toEqual([
        body,
        400,
      ]);
    expect((await b.api('POST', '/event-hooks/nothing/rotate-secret', {})).status).toBe(404);
  });

  it('signs with the old one for a day where null is given, as where nothing is', async () => {
    const b = await bench();
    const { id } = await b.hook({ ...draft, config: { url: b.receiver.url('/x'), secret: 'the first' } });
    const body = { secret: null, overlap_seconds: null };
    expect((await b.api('POST', `/event-hooks/${id}/rotate-secret`, body)).body).toMatchObject({
      secret: expect.stringContaining('whsec_') as string,
      previous_secrets_until: expect.any(Number) as number,
    });
    expect(b.dispatcher.hooks.get(id)?.config.previous_secrets).toEqual(['the first']);
  });
});

describe('the receiver of the console itself', () => {
  interface Received {
    id: string;
    body: string;
    body_cut: boolean;
    bytes: number;
    headers: Record<string, string>;
    signature: Record<string, string | null>;
  }
  it('shows what a hook has sent to it and checks the signature, also where loopback is refused', async () => {
    const b = await bench({ allowLoopback: false });
    const read = async () =>
      (await b.api<{ url: string; data: Received[] }>('GET', '/event-hooks/receiver')).body;
    const { url } = await read();
    const config = {
      url: `${url}mine`,
      secret: 'a secret of its own',
      headers: { authorization: 'Bearer abc' },
    };
    b.dispatcher.publish({ source: 's', event: 'e', fields: ['word'] });
    const made = await b.api<{ id: string }>('POST', '/event-hooks', {
      source: 's',
      event: 'e',
      handler: 'webhook',
      config,
    });
    const { id } = made.body;
    expect([made.status, made.headers.warning]).toEqual([201, undefined]);
    b.hub.emit('s', 'e', { word: 'hello' });
    await b.settled();
    const [received, ping] = (await read()).data;
    expect(received).toMatchObject({
      event_hook: { id },
      method: 'POST',
      path: '/mine',
      body: '{"word":"hello","source":"s","event":"e"}',
      body_cut: false,
      bytes: 41,
      signature: { standard: 'valid', kong: 'valid', reason: null },
    });
    expect(received?.headers).toMatchObject({ authorization: 'Bearer abc', 'webhook-id': received?.id });
    expect(ping?.body).toContain('ping');
    const [delivery] = (await b.api<{ data: object[] }>('GET', `/event-hooks/${id}/deliveries?event=e`)).body
      .data;
    expect(delivery).toMatchObject({ state: 'delivered', status: 200 });
    expect((await b.api('DELETE', '/event-hooks/receiver')).status).toBe(204);
    expect((await read()).data).toEqual([]);
  });

  it('says what it cannot check, and keeps a bounded number of bounded bodies', async () => {
    const b = await bench();
    const read = async () =>
      (await b.api<{ url: string; data: Received[] }>('GET', '/event-hooks/receiver')).body;
    const { url } = await read();
    const hook = { source: 's', handler: 'webhook', config: { url, secret: 'unsaved' } };
    await b.api('POST', '/event-hooks/drafts/test', { hook });
    expect((await read()).data[0]?.signature).toEqual({
      standard: 'unknown',
      kong: 'unknown',
      reason: expect.stringContaining('No stored hook') as string,
    });
    const unsigned = await b.hook({ source: 's', handler: 'webhook', config: { url } });
    for (let n = 0; n < 120; n += 1) b.hub.emit('s', 'e', { n, text: 'x'.repeat(n === 119 ? 100_000 : 1) });
    await b.settled();
    const { data } = await read();
    expect(data).toHaveLength(100);
    expect(data[0]).toMatchObject({
      event_hook: { id: unsigned.id },
      body_cut: true,
      signature: { standard: 'absent', kong: 'absent', reason: null },
    });
    expect([data[0]?.body.length, (data[0]?.bytes ?? 0) > 100_000]).toEqual([65_536, true]);
  });

  it('finds a signature of another secret or body out', async () => {
    const b = await bench();
    const { url } = (await b.api<{ url: string }>('GET', '/event-hooks/receiver')).body;
    const { id } = await b.hook({ source: 's', handler: 'webhook', config: { url, secret: 'one' } });
    const send = (headers: Record<string, string>) =>
      b.dispatcher.receiver.target.send({
        method: 'POST',
        path: '/',
        body: '{}',
        headers: Object.entries({ 'webhook-id': `x_${id}`, 'webhook-timestamp': '1', ...headers }).flat(),
      });
    await send({ 'webhook-signature': 'v1,AAAA v2,x', 'x-kong-signature': 'é' });
    expect(b.dispatcher.receiver.list()[0]).toMatchObject({ standard: 'invalid', kong: 'invalid' });
  });
});
