import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventHooks } from '../../src/event-hooks/index.ts';
import { buildPayload, canonical, parseFields, withoutNulls } from '../../src/event-hooks/model/payload.ts';
import { ManualClock } from './support/clock.ts';
import { bench, tempDir } from './support/setup.ts';
import type { Bench } from './support/setup.ts';

const custom = (b: Bench, path: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  source: 's',
  handler: 'webhook-custom',
  config: { url: b.receiver.url(path), method: 'POST', body: '{{ n }}' },
  ...more,
});
const bodies = (b: Bench, path: string): string[] => b.receiver.at(path).map((one) => one.body);

describe('emit', () => {
  it('serializes nothing without a matching hook, and never throws', async () => {
    const b = await bench();
    let made = 0;
    const data = () => {
      made += 1;
      return {};
    };
    const toJSON = { toJSON: data };
    b.hub.emit('s', 'e', data);
    b.hub.emit('s', 'e', { toJSON });
    await b.hook(custom(b, '/x', { event: 'other' }));
    b.hub.emit('s', 'e', data);
    expect(made).toBe(0);
    expect(b.hub.wants('s', 'e')).toBe(false);
    expect(b.hub.wants('s', 'other')).toBe(true);
    b.hub.emit('s', 'other', data);
    expect(made).toBe(1);
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    b.hub.emit('s', 'other', circular);
    b.hub.emit('s', 'other', () => {
      throw new Error('no');
    });
    b.hub.emit('s', 'other', { big: 10n });
    expect(b.hub.stats.invalid).toBe(3);
    new EventHooks().emit('s', 'e', data);
    expect(made).toBe(1);
  });

  it('publish shows in sources, whenever it comes', async () => {
    const b = await bench();
    const hub = new EventHooks();
    hub.publish('http-log-enterprise', 'log', {
      fields: ['consumer', 'ip', 'service', 'route'],
      unique: ['consumer', 'ip', 'service'],
      description: 'Run an event for a request',
    });
    hub.attachTransport(b.dispatcher.transport());
    const info = {
      fields: ['consumer', 'ip', 'service', 'route'],
      unique: ['consumer', 'ip', 'service'],
      description: 'Run an event for a request',
    };
    expect((await b.api('GET', '/event-hooks/sources/http-log-enterprise')).body).toEqual({
      data: { log: info },
    });
    expect((await b.api('GET', '/event-hooks/sources/http-log-enterprise/log')).body).toEqual({ data: info });
    const { data } = (await b.api<{ data: Record<string, unknown> }>('GET', '/event-hooks/sources')).body;
    expect(Object.keys(data).sort()).toEqual(['balancer', 'crud', 'dao:crud', 'http-log-enterprise']);
    expect((await b.api('GET', '/event-hooks/sources/nope')).status).toBe(404);
    expect((await b.api('GET', '/event-hooks/sources/crud/nope')).status).toBe(404);
  });

  it('crud: a hook on the entity fires for every operation, one on an operation for that one', async () => {
    const b = await bench();
    const crud = { source: 'crud', handler: 'webhook-custom' };
    const to = (path: string) => ({
      url: b.receiver.url(path),
      method: 'POST',
      body: '{{ event }} {{ operation }}',
      headers: { 'content-type': 'text/plain' },
    });
    await b.hook({ ...crud, event: 'consumers', config: to('/all') });
    await b.hook({
      ...crud,
      event: 'consumers:update',
      filter: { event: 'consumers:update' },
      config: to('/update'),
    });
    await b.hook({ ...crud, config: to('/any') });
    for (const operation of ['create', 'update', 'delete'])
      b.hub.emit('crud', 'consumers', { operation, entity: { id: 1 }, schema: 'consumers' });
    b.hub.emit('crud', 'plugins', { operation: 'update', entity: {}, schema: 'plugins' });
    await b.settled();
    expect(bodies(b, '/all')).toEqual(['consumers create', 'consumers update', 'consumers delete']);
    expect(bodies(b, '/update')).toEqual(['consumers:update update']);
    expect(bodies(b, '/any')).toEqual([
      'consumers create',
      'consumers update',
      'consumers delete',
      'plugins update',
    ]);
  });

  it('the same event sent again fires once, also after a restart', async () => {
    const dataDir = tempDir();
    const first = await bench({ dataDir });
    await first.hook(custom(first, '/x'));
    const event = { source: 's', event: 'e', data: { n: 1 }, id: 'the-same' };
    for (let i = 0; i < 3; i += 1) await first.api('POST', '/event-hooks/events', event);
    await first.settled();
    await first.dispatcher.stop();
    const second = await bench({ dataDir });
    await second.api('POST', '/event-hooks/events', event);
    await second.settled();
    expect(bodies(first, '/x')).toEqual(['1']);
  });

  it('filters on the payload', async () => {
    const b = await bench();
    await b.hook(
      custom(b, '/x', {
        filter: {
          n: { gte: 2, not_in: [4] },
          'who.name': { starts_with: 'a' },
          gone: { exists: false },
          source: 's',
        },
      }),
    );
    for (const n of [1, 2, 3, 4]) b.hub.emit('s', 'e', { n, who: { name: 'al' } });
    b.hub.emit('s', 'e', { n: 5, who: { name: 'bo' } });
    b.hub.emit('s', 'e', { n: 6 });
    b.hub.emit('s', 'e', { n: 7, who: { name: 'a' }, gone: 1 });
    await b.settled();
    expect(bodies(b, '/x')).toEqual(['2', '3']);
  });

  it('refuses events that cannot be, and stores nothing of them', async () => {
    const b = await bench({ maxEventBytes: 100 });
    await b.hook(custom(b, '/x'));
    for (const [event, field] of [
      [{}, 'source'],
      [{ source: 's', event: 'e', data: [] }, 'data'],
      [{ source: 's', event: 'e', id: 'no spaces' }, 'events'],
      [{ source: 's', event: 'e', data: { x: 'x'.repeat(200) } }, 'events'],
    ] as const) {
      const { status, body } = await b.api<{ fields: object }>('POST', '/event-hooks/events', event);
      expect(status).toBe(400);
      expect(Object.keys(body.fields)).toContain(field);
    }
    expect(b.dispatcher.backlog.total).toBe(0);
  });
});

describe('suppression', () => {
  it('on_change fires when the payload differs, numbers and booleans included, per identity', async () => {
    const b = await bench();
    b.hub.publish('s', 'e', { fields: ['id', 'n', 'on'], unique: ['id'] });
    await b.hook(
      custom(b, '/x', {
        on_change: true,
        config: { url: b.receiver.url('/x'), method: 'POST', body: '{{ id }} {{ n }} {{ on }}' },
      }),
    );
    for (const data of [
      { id: 'a', n: 1 },
      { n: 1, id: 'a' },
      { id: 'a', n: 2 },
      { id: 'a', n: 2, on: true },
      { id: 'a', n: 2, on: false },
      { id: 'b', n: 2, on: false },
      { id: 'a', n: 2, on: false },
    ])
      b.hub.emit('s', 'e', data);
    await b.settled();
    expect(bodies(b, '/x')).toEqual(['a 1 ', 'a 2 ', 'a 2 true', 'a 2 false', 'b 2 false']);
  });

  it('on_change does not fire because a reload has stamped entities anew, and neither is their identity another one', async () => {
    const b = await bench();
    b.hub.publish('s', 'log', { fields: ['consumer', 'service', 'at'], unique: ['consumer', 'service'] });
    await b.hook(
      custom(b, '/x', {
        on_change: true,
        config: { url: b.receiver.url('/x'), method: 'POST', body: '{{ service.name }} {{ updated_at }}' },
      }),
    );
    const emit = (stamp: number, name: string, own = 0): void => {
      const stamps = { created_at: stamp, updated_at: stamp };
      const consumer = { id: 'c', username: 'ada', ...stamps };
      b.hub.emit('s', 'log', { id: 'e', updated_at: own, consumer, service: { id: 's', name, ...stamps } });
    };
    emit(1, 'one');
    emit(2, 'one');
    emit(3, 'two');
    emit(4, 'two');
    // A field of the event itself counts.
    emit(5, 'two', 1);
    await b.settled();
    expect(bodies(b, '/x')).toEqual(['one 0', 'two 0', 'two 1']);
  });

  it('snooze drops further events of the identity for its time, and does not send them later', async () => {
    const clock = new ManualClock();
    const b = await bench({ clock });
    b.hub.publish('s', 'e', { fields: ['id', 'n'], unique: ['id'] });
    await b.hook(custom(b, '/x', { snooze: 10 }));
    const emit = (id: string, n: number) => {
      b.hub.emit('s', 'e', { id, n });
    };
    emit('a', 1);
    emit('a', 2);
    emit('b', 3);
    await b.hub.flush();
    await clock.advance(9000);
    emit('a', 4);
    await b.settled();
    await clock.advance(1000);
    emit('a', 5);
    await b.settled();
    expect(bodies(b, '/x')).toEqual(['1', '3', '5']);
  });

  it('without unique fields the hook itself is the identity; two hooks do not disturb each other', async () => {
    const b = await bench();
    await b.hook(custom(b, '/x', { snooze: 60 }));
    await b.hook(custom(b, '/y', { on_change: true }));
    for (const n of [1, 1, 2]) b.hub.emit('s', 'e', { n });
    await b.settled();
    expect([bodies(b, '/x'), bodies(b, '/y')]).toEqual([['1'], ['1', '2']]);
  });

  it('is shared by the dispatchers of one store, outlives them, and counts what it holds back', async () => {
    const dataDir = tempDir();
    const first = await bench({ dataDir });
    const second = await bench({ dataDir });
    const hook = await first.hook({ source: 's', handler: 'log', on_change: true });
    await second.receiver.untilTrue(() => second.dispatcher.hooks.get(hook.id) !== undefined);
    for (const one of [first, second]) {
      one.hub.emit('s', 'e', { n: 1 });
      await one.hub.flush(20_000);
    }
    const text = async (b: Bench): Promise<string> => (await b.api<string>('GET', '/metrics')).body;
    expect(await text(first)).toMatch(/_fired_total\{.*\} 1\n/);
    expect(await text(second)).toMatch(/_suppressed_total\{.*\} 1\n/);
    expect(await text(second)).not.toMatch(/_fired_total\{/);
    await first.dispatcher.stop();
    await second.dispatcher.stop();
    const third = await bench({ dataDir });
    third.hub.emit('s', 'e', { n: 1 });
    third.hub.emit('s', 'e', { n: 2 });
    await third.settled();
    const fired = [first, second, third].flatMap((b) =>
      b.log.lines.filter((one) => one.message === 'event hook'),
    );
    expect(fired.map((line) => (line.fields?.payload as { n: number }).n)).toEqual([1, 2]);
  });
});

describe('what is unfinished', () => {
  it('is not counted by who waits for the right to deliver, and counted anew by who gets it', async () => {
    const dataDir = tempDir();
    const one = await bench({ dataDir });
    const { id } = await one.hook({
      source: 's',
      handler: 'webhook',
      config: { url: one.receiver.url('/x') },
    });
    const two = await bench({ dataDir, maxUnfinished: 5 });
    for (let n = 0; n < 8; n += 1) {
      two.hub.emit('s', 'e', { n });
      await two.hub.flush();
    }
    await one.receiver.until('/x', 8);
    await one.settled();
    expect(two.dispatcher.backlog.total).toBe(0);
    one.receiver.answer = (_request, response) => response.writeHead(500).end();
    for (let n = 0; n < 3; n += 1) two.hub.emit('s', 'e', { n });
    await two.hub.flush();
    await one.receiver.until('/x', 11);
    await one.dispatcher.stop();
    await expect.poll(() => two.dispatcher.engine.active).toBe(true);
    expect([two.dispatcher.backlog.total, two.dispatcher.backlog.of(id)]).toEqual([3, 3]);
    await two.api('PATCH', `/event-hooks/${id}`, { source: 'other' });
    expect(await two.dispatcher.metrics.registry.metrics()).not.toContain('source="s"');
    expect(two.dispatcher.backlog.of(id)).toBe(3);
  });
});

describe('defects of the original', () => {
  it('one firing, however many emitters; hooks made, changed and deleted while running take effect at once', async () => {
    const b = await bench();
    const hubs = [b.hub, new EventHooks(), new EventHooks()];
    for (const hub of hubs.slice(1)) hub.attachTransport(b.dispatcher.transport());
    const settled = async (): Promise<void> => {
      await Promise.all(hubs.map((hub) => hub.flush(20_000)));
      await b.settled();
    };
    hubs[0]?.emit('s', 'e', { n: 0 });
    const { id } = await b.hook(custom(b, '/x'));
    for (const [n, hub] of hubs.entries()) hub.emit('s', 'e', { n: n + 1 });
    await settled();
    expect(bodies(b, '/x').sort()).toEqual(['1', '2', '3']);
    await b.api('PATCH', `/event-hooks/${id}`, { config: { url: b.receiver.url('/y') } });
    hubs[2]?.emit('s', 'e', { n: 4 });
    await settled();
    expect(bodies(b, '/y')).toEqual(['4']);
    await b.api('PATCH', `/event-hooks/${id}`, { enabled: false });
    expect(hubs.map((hub) => hub.wants('s', 'e'))).toEqual([false, false, false]);
    await b.api('PATCH', `/event-hooks/${id}`, { enabled: true });
    await b.api('DELETE', `/event-hooks/${id}`);
    expect(hubs.map((hub) => hub.wants('s', 'e'))).toEqual([false, false, false]);
  });

  it('writes no warning while there is nothing to do', async () => {
    const b = await bench();
    b.hub.emit('s', 'e', {});
    await b.settled();
    expect(b.log.lines.filter((line) => line.level === 'warn' || line.level === 'error')).toEqual([]);
  });

  it('a change of a hook loses nothing of its queue', async () => {
    const b = await bench({ queueLength: 20 });
    const { id } = await b.hook(custom(b, '/x'));
    for (let n = 0; n < 500; n += 1) b.hub.emit('s', 'e', { n });
    for (let i = 0; i < 5; i += 1)
      await b.api('PATCH', `/event-hooks/${id}`, { snooze: null, concurrency: 1 + i });
    await b.receiver.until('/x', 500);
    await b.settled();
    expect(new Set(bodies(b, '/x')).size).toBe(500);
  });
});

describe('payloads', () => {
  it('are the fields without nulls, source and event, for any JSON', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
        const text = JSON.stringify(data);
        const expected = { ...(withoutNulls(JSON.parse(text)) as object), source: 's"', event: 'é' };
        expect(canonical(JSON.parse(buildPayload(text, 's"', 'é')))).toBe(canonical(expected));
        expect(parseFields(text)).not.toBeNull();
      }),
      { numRuns: 300 },
    );
  });
});
