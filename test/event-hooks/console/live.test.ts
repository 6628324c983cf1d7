import { request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { handlerKinds } from '../../../src/event-hooks/handlers/kinds.ts';
import { ManualClock } from '../support/clock.ts';
import { bench } from '../support/setup.ts';
import type { Bench } from '../support/setup.ts';

interface Message {
  id: string | undefined;
  event: string | undefined;
  data: Record<string, unknown>;
}

/** One connection to the stream, and what has come over it. */
async function watch(url: string, query = '', headers: Record<string, string> = {}) {
  let text = '';
  let status = 0;
  const client = request(`${url}/event-hooks/stream?${query}`, { headers }, (response) => {
    status = response.statusCode ?? 0;
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  });
  client.on('error', () => undefined).end();
  onTestFinished(() => void client.destroy());
  const messages = (): Message[] =>
    text
      .split('\n\n')
      .slice(0, -1)
      .filter((block) => block.includes('data: '))
      .map((block) => {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
        return {
          id: field('id'),
          event: field('event'),
          data: JSON.parse(field('data') ?? '{}') as Record<string, unknown>,
        };
      });
  const until = async (b: Bench, test: () => boolean): Promise<void> =>
    b.receiver.untilTrue(test, 20_000, () => text.slice(-2000));
  return {
    messages,
    of: (event: string) => messages().filter((one) => one.event === event),
    until,
    text: () => text,
    status: () => status,
    end: () => client.destroy(),
  };
}

async function start(options = {}, token: string | null = null, more = {}) {
  const b = await bench(options, token, handlerKinds, more);
  const url = await b.admin.listen({ host: '127.0.0.1', port: 0 });
  return { b, url };
}

describe('the stream', () => {
  it('begins with hello, then shows events, attempts and changes of hooks as they happen', async () => {
    const { b, url } = await start();
    const live = await watch(url);
    await live.until(b, () => live.of('hello').length === 1);
    expect(live.text()).toMatch(/^retry: 2000\n/);
    expect(live.of('hello')[0]?.data).toMatchObject({ rows: 50, payloads: true });
    const { id } = await b.hook({
      source: 's',
      event: 'e',
      handler: 'webhook',
      config: { url: b.receiver.url('/x') },
    });
    await live.until(b, () => live.of('hooks').length > 0);
    b.hub.emit('s', 'e', { word: 'a\nb\r\n\ndata: x', html: '</script>' });
    await live.until(b, () => live.of('delivery').some((one) => one.data.event === 'e'));
    expect(live.of('event')[0]?.data).toMatchObject({
      source: 's',
      event: 'e',
      hooks: 1,
      data: { word: 'a\nb\r\n\ndata: x', html: '</script>' },
    });
    expect(live.of('delivery').find((one) => one.data.event === 'e')?.data).toMatchObject({
      event_hook: { id },
      state: 'delivered',
      attempts: 1,
      status: 200,
    });
  });

  it('goes on behind the row that a watcher had last, and says where it cannot', async () => {
    const { b, url } = await start();
    await b.hook({ source: 's', handler: 'log' });
    const first = await watch(url, 'types=event&rows=200');
    await first.until(b, () => first.of('hello').length === 1);
    for (let n = 0; n < 3; n += 1) b.hub.emit('s', 'e', { n });
    await first.until(b, () => first.of('event').length === 3);
    first.end();
    b.hub.emit('s', 'e', { n: 3 });
    await b.settled();
    const seen = first.of('event')[1]?.id ?? '';
    const second = await watch(url, 'types=event', { 'last-event-id': seen });
    await second.until(b, () => second.of('event').length === 2);
    expect(second.of('event').map(({ data }) => data.data)).toEqual([{ n: 2 }, { n: 3 }]);
    expect(second.of('gap')).toEqual([]);
    for (const unknown of ['00000000-1', 'nonsense', seen.replace(/\d+$/, '999999')]) {
      const third = await watch(url, `types=event&last_event_id=${unknown}`);
      await third.until(b, () => third.of('gap').length === 1);
      expect(third.of('event')).toEqual([]);
    }
  });

  it('shows what was asked for, and no more rows than that; it says how many it has left out', async () => {
    const clock = new ManualClock();
    const { b, url } = await start({ clock });
    const { id } = await b.hook({ source: 's', handler: 'log' });
    await b.hook({ source: 'other', handler: 'log' });
    const few = await watch(url, 'rows=10&types=event&source=s');
    const attempts = await watch(url, `types=delivery&hook=${id}&rows=200`);
    await few.until(b, () => few.of('hello').length + attempts.of('hello').length === 2);
    await b.dispatcher.accept(
      Array.from({ length: 5 }, (_, n) => ({
        id: `id-${String(n)}`,
        source: n === 0 ? 'other' : 's',
        event: 'e',
        data: JSON.stringify({ n }),
        at: clock.now(),
      })),
    );
    await attempts.until(b, () => attempts.of('delivery').length === 4);
    expect(few.of('event').map(({ data }) => data.data)).toEqual([{ n: 1 }]);
    expect(few.of('skipped')).toEqual([]);
    await clock.advance(1000);
    await few.until(b, () => few.of('skipped').length === 1);
    expect(few.of('skipped')[0]?.data).toEqual({ events: 3, deliveries: 0, others: 0 });
    await clock.advance(14_000);
    await few.until(b, () => few.text().includes(': still here\n\n'));
    for (const query of ['rows=0', 'rows=201', 'rows=x', 'types=nothing'])
      expect((await b.api('GET', `/event-hooks/stream?${query}`)).status).toBe(400);
  });

  it('shows no payloads to whoever sees none, and nothing without a token', async () => {
    const { b, url } = await start({}, 'secret', { readToken: 'look', payloadView: 'admin' });
    const admin = { 'kong-admin-token': 'secret' };
    await b.api('POST', '/event-hooks', { source: 's', handler: 'log' }, admin);
    const stranger = await watch(url);
    const reader = await watch(url, 'types=event', { 'kong-admin-token': 'look' });
    const owner = await watch(url, 'types=event', admin);
    await owner.until(
      b,
      () => owner.of('hello').length + reader.of('hello').length === 2 && stranger.status() > 0,
    );
    b.hub.emit('s', 'e', { word: 'classified' });
    await owner.until(b, () => owner.of('event').length + reader.of('event').length === 2);
    expect(owner.text()).toContain('classified');
    expect(reader.of('event')[0]?.data).toMatchObject({ data: null, size: anySize });
    expect(reader.text()).not.toContain('classified');
    expect(stranger.status()).toBe(401);
  });

  it('leaves data that are large out, and costs nothing while nobody watches', async () => {
    const { b, url } = await start();
    await b.hook({ source: 's', handler: 'log' });
    expect(b.dispatcher.feed.watched).toBe(false);
    const live = await watch(url, 'types=event');
    await live.until(b, () => live.of('hello').length === 1);
    expect(b.dispatcher.feed.watched).toBe(true);
    b.hub.emit('s', 'e', { text: 'x'.repeat(100_000) });
    await live.until(b, () => live.of('event').length === 1);
    expect(live.of('event')[0]?.data).toMatchObject({ data: null, size: 100_011 });
  });

  it('stops listening a minute after the last watcher has gone', async () => {
    const clock = new ManualClock();
    const { b, url } = await start({ clock });
    const live = await watch(url);
    await live.until(b, () => live.of('hello').length === 1);
    live.end();
    await b.receiver.untilTrue(() => {
      void clock.advance(61_000);
      return !b.dispatcher.feed.watched;
    });
  });

  it('says to a watcher from before that minute that rows are missing, also while another one watches', async () => {
    const clock = new ManualClock();
    const { b, url } = await start({ clock });
    await b.hook({ source: 's', handler: 'log' });
    const first = await watch(url);
    await first.until(b, () => first.of('hello').length === 1);
    b.hub.emit('s', 'e', { n: 1 });
    // The last row of all.
    await first.until(b, () => first.of('delivery').length === 1);
    first.end();
    await b.receiver.untilTrue(() => {
      void clock.advance(61_000);
      return !b.dispatcher.feed.watched;
    });
    b.hub.emit('s', 'e', { n: 2 });
    await b.settled();
    const other = await watch(url, 'types=event');
    await other.until(b, () => other.of('hello').length === 1);
    const again = await watch(url, `types=event&last_event_id=${first.of('delivery')[0]?.id ?? ''}`);
    await again.until(b, () => again.of('hello').length === 1);
    b.hub.emit('s', 'e', { n: 3 });
    await again.until(b, () => again.of('event').length === 1);
    expect(again.of('gap')).toHaveLength(1);
  });

  it('keeps no long question of a replay in its rows', async () => {
    const { b, url } = await start();
    const live = await watch(url, 'types=replay');
    await live.until(b, () => live.of('hello').length === 1);
    const ids = Array.from({ length: 1000 }, (_, n) => `${String(n)}${'x'.repeat(500)}`);
    const { body } = await b.api<{ query: unknown }>('POST', '/event-hooks/replays', { ids });
    expect(body.query).toEqual({ ids });
    await live.until(b, () => live.of('replay').length > 0);
    expect(live.of('replay')[0]?.data).toMatchObject({ found: 0, query: {} });
    expect(live.text().length).toBeLessThan(10_000);
  });
});

const anySize = expect.any(Number) as number;
