import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../support/clock.ts';
import type { DispatcherOptions } from '../../../src/event-hooks/dispatcher/options.ts';
import { bench } from '../support/setup.ts';
import type { Bench } from '../support/setup.ts';

interface Job {
  id: string;
  state: string;
  total: number | null;
  replayed: number;
  passed_over: number;
  delivered: number;
  failed: number;
  error: string | null;
}

/** A dispatcher whose target has refused some deliveries, and takes them now. */
async function withDead(words: readonly string[], options: DispatcherOptions = {}) {
  const b = await bench({ ...options, retrySchedule: [] });
  b.receiver.answer = (_request, response) => response.writeHead(500).end();
  const hook = await b.hook({
    source: 's',
    event: 'e',
    handler: 'webhook',
    config: { url: b.receiver.url('/x') },
  });
  for (const word of words) b.hub.emit('s', 'e', { word });
  await b.settled();
  b.receiver.answer = (_request, response) => response.end('ok');
  b.receiver.received.length = 0;
  return { b, hook };
}

async function until(b: Bench, id: string, states: readonly string[]): Promise<Job> {
  for (;;) {
    const { body } = await b.api<Job>('GET', `/event-hooks/replays/${id}`);
    if (states.includes(body.state)) return body;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const counted = async (b: Bench, body: object): Promise<Job> => {
  const made = await b.api<Job>('POST', '/event-hooks/replays', body);
  expect(made).toMatchObject({ status: 201 });
  return until(b, made.body.id, ['ready', 'failed']);
};
const words = (b: Bench): unknown[] => b.receiver.bodies('/x').map((body) => body.word);

describe('a replay of many', () => {
  it('says the number first, then how far it is, then what came of it, in the order of the events', async () => {
    const { b } = await withDead(['a', 'b', 'c']);
    const ready = await counted(b, {});
    // The ping of the creation is dead as well.
    expect(ready).toMatchObject({ state: 'ready', total: 4, replayed: 0, finished_at: null });
    expect(b.receiver.received).toEqual([]);
    const started = await b.api<Job>('POST', `/event-hooks/replays/${ready.id}/start`);
    expect(started.status).toBe(202);
    await until(b, ready.id, ['done']);
    await b.receiver.untilTrue(() => b.receiver.received.length === 4);
    await b.settled();
    expect(words(b)).toEqual(['a', 'b', 'c']);
    expect(await until(b, ready.id, ['done'])).toMatchObject({
      replayed: 4,
      passed_over: 0,
      delivered: 4,
      failed: 0,
      error: null,
    });
    expect((await b.api('POST', `/event-hooks/replays/${ready.id}/start`)).status).toBe(409);
    const { body } = await b.api<{ data: Job[] }>('GET', '/event-hooks/replays');
    expect(body.data.map(({ id }) => id)).toEqual([ready.id]);
  });

  it('takes what was asked for: a hook, an event, a text, a time, or ids', async () => {
    const { b, hook } = await withDead(['a', 'b', 'c']);
    const total = async (body: object) => (await counted(b, body)).total;
    expect(await total({ event: 'e' })).toBe(3);
    expect(await total({ text: '"b"' })).toBe(1);
    expect(await total({ event_hook: { id: hook.id.toUpperCase() }, states: ['dead', 'delivered'] })).toBe(4);
    expect(await total({ event_hook: { id: hook.id }, states: ['delivered'] })).toBe(0);
    expect(await total({ since: '2999-01-01' })).toBe(0);
    const list = await b.api<{ data: { id: string }[] }>(
      'GET',
      '/event-hooks/deliveries?state=dead&text="a"',
    );
    const one = await counted(b, { ids: [list.body.data[0]?.id, 'not_there'] });
    expect(one.total).toBe(1);
    await b.api('POST', `/event-hooks/replays/${one.id}/start`);
    await b.receiver.until('/x', 1);
    await b.settled();
    expect(words(b)).toEqual(['a']);
  });

  it('replays what it has counted and no more, and passes over what was replayed meanwhile', async () => {
    const { b } = await withDead(['a', 'b']);
    const first = await counted(b, { event: 'e' });
    const second = await counted(b, { event: 'e', text: '"a"' });
    await b.api('POST', `/event-hooks/replays/${second.id}/start`);
    await until(b, second.id, ['done']);
    await b.receiver.until('/x', 1);
    await b.settled();
    await b.api('POST', `/event-hooks/replays/${first.id}/start`);
    expect(await until(b, first.id, ['done'])).toMatchObject({ total: 2, replayed: 1, passed_over: 1 });
  });

  it('stops where it is told to: what is due goes out, and nothing more becomes due', async () => {
    const clock = new ManualClock();
    const b = await bench({ clock, retrySchedule: [] });
    b.receiver.answer = (_request, response) => response.writeHead(500).end();
    const config = { url: b.receiver.url('/x') };
    await b.hook({ source: 's', event: 'e', handler: 'webhook', concurrency: 1, config });
    const events = Array.from({ length: 1500 }, (_, n) => ({
      id: `id-${String(n)}`,
      source: 's',
      event: 'e',
      data: '{}',
      at: clock.now(),
    }));
    await b.dispatcher.accept(events);
    await b.settled();
    b.receiver.answer = () => undefined;
    const ready = await counted(b, { event: 'e' });
    expect(ready.total).toBe(1500);
    await b.api('POST', `/event-hooks/replays/${ready.id}/start`);
    // A target that is slow is not buried: more become due as those before them end.
    await b.receiver.untilTrue(() => b.dispatcher.backlog.total >= 1000);
    const stopped = (await b.api<Job>('POST', `/event-hooks/replays/${ready.id}/stop`)).body;
    expect(stopped).toMatchObject({ state: 'stopped', replayed: 1000 });
    await clock.advance(10_000);
    expect((await b.api<Job>('GET', `/event-hooks/replays/${ready.id}`)).body.replayed).toBe(1000);
    const counts = await b.dispatcher.store.waitingAndDead();
    expect([...counts.values()].reduce((sum, { dead }) => sum + dead, 0)).toBeGreaterThanOrEqual(500);
  });

  it('tells what came of the portion that was being made due when it was stopped', async () => {
    const { b } = await withDead(['a', 'b']);
    const ready = await counted(b, { event: 'e' });
    const stopped = Promise.withResolvers<undefined>();
    const replay = b.dispatcher.replay.bind(b.dispatcher);
    vi.spyOn(b.dispatcher, 'replay').mockImplementation(async (query) => {
      await stopped.promise;
      return await replay(query);
    });
    await b.api('POST', `/event-hooks/replays/${ready.id}/start`);
    await b.api('POST', `/event-hooks/replays/${ready.id}/stop`);
    stopped.resolve(undefined);
    const read = async (): Promise<Job> => (await b.api<Job>('GET', `/event-hooks/replays/${ready.id}`)).body;
    await expect.poll(read).toMatchObject({ state: 'stopped', replayed: 2, delivered: 2, failed: 0 });
  });

  it('refuses what it cannot understand, and a hook that is not there', async () => {
    const b = await bench();
    const { id } = await b.hook({ source: 's', handler: 'log' });
    for (const [body, field] of [
      [{ since: '-5' }, 'since'],
      [{ states: ['delivered'] }, 'states'],
      [{ states: [] }, 'states'],
      [{ states: 'dead' }, 'states'],
      [{ event_hook: 'x' }, 'event_hook'],
      [{ ids: 'x' }, 'ids'],
      [{ ids: ['x'], text: 'a' }, 'ids'],
      [{ ids: Array.from({ length: 1001 }, String) }, 'ids'],
      [{ sinse: 1 }, 'sinse'],
      [{ state: 'dead' }, 'state'],
    ] as const)
      expect([body, await b.api('POST', '/event-hooks/replays', body)]).toMatchObject([
        body,
        { status: 400, body: { fields: { [field]: expect.any(String) as string } } },
      ]);
    const unknown = { event_hook: { id: '11111111-2222-4333-8444-555555555555' } };
    expect((await b.api('POST', '/event-hooks/replays', unknown)).status).toBe(404);
    for (const [method, path] of [
      ['GET', 'nothing'],
      ['POST', 'nothing/start'],
      ['POST', 'nothing/stop'],
    ] as const)
      expect(
        (await b.api(method, `/event-hooks/replays/${path}`, method === 'GET' ? undefined : {})).status,
      ).toBe(404);
    // As many as are remembered, none of them over.
    const made = [];
    for (let n = 0; n < 20; n += 1) made.push(await counted(b, { event_hook: { id } }));
    expect((await b.api('POST', '/event-hooks/replays', {})).status).toBe(409);
    await b.api('POST', `/event-hooks/replays/${made[0]?.id ?? ''}/stop`);
    expect((await b.api('POST', '/event-hooks/replays', {})).status).toBe(201);
  });

  it('follows what becomes of them for ten minutes after the last one was made due, however long that took', async () => {
    const clock = new ManualClock();
    const { b } = await withDead(['a'], { clock });
    const ready = await counted(b, { event: 'e' });
    const replay = b.dispatcher.replay.bind(b.dispatcher);
    b.dispatcher.replay = async (query) => {
      await clock.advance(601_000);
      return replay(query);
    };
    await b.api('POST', `/event-hooks/replays/${ready.id}/start`);
    await until(b, ready.id, ['done']);
    await b.receiver.until('/x', 1);
    await b.settled();
    expect(await until(b, ready.id, ['done'])).toMatchObject({ replayed: 1, delivered: 1 });
  });

  it('counts what waits once, although it is made due again', async () => {
    const clock = new ManualClock();
    const b = await bench({ clock, retrySchedule: [3600] });
    b.receiver.answer = (_request, response) => response.writeHead(500).end();
    const { id } = await b.hook({
      source: 's',
      event: 'e',
      handler: 'webhook-custom',
      config: { url: b.receiver.url('/x'), method: 'POST' },
    });
    for (let n = 0; n < 3; n += 1) b.hub.emit('s', 'e', {});
    await b.receiver.until('/x', 3);
    await b.settled();
    b.receiver.answer = (_request, response) => response.end('ok');
    const ready = await counted(b, { event_hook: { id }, states: ['waiting'] });
    await b.api('POST', `/event-hooks/replays/${ready.id}/start`);
    expect(await until(b, ready.id, ['done'])).toMatchObject({ replayed: 3 });
    await b.receiver.until('/x', 6);
    await b.settled();
    expect(b.dispatcher.backlog.total).toBe(0);
  });

  it('says why it has failed', async () => {
    const { b } = await withDead(['a']);
    b.dispatcher.store.search = () => Promise.reject(new Error('the disk is away'));
    expect(await counted(b, {})).toMatchObject({ state: 'failed', error: 'the disk is away', total: 0 });
  });
});
