import { describe, expect, it } from 'vitest';
import { searchDeliveries } from '../../../src/event-hooks/dispatcher/delivery-search.ts';
import type { SearchPortion } from '../../../src/event-hooks/store/types.ts';
import { ManualClock } from '../support/clock.ts';
import { bench } from '../support/setup.ts';
import type { Bench } from '../support/setup.ts';

interface Delivery {
  id: string;
  event_id: string;
  event_hook: { id: string };
  payload: Record<string, unknown>;
  history?: {
    attempt: number;
    response: string;
    request: { url: string; headers: Record<string, string> };
  }[];
}
interface Page {
  data: Delivery[];
  next: string | null;
  looked: number;
  complete: boolean;
}
const page = async (b: Bench, url: string): Promise<Page> => (await b.api<Page>('GET', url)).body;
const hour = 3_600_000;

describe('deliveries', () => {
  it('are found by source, event, time, id and text, and page by page', async () => {
    const b = await bench();
    const { id } = await b.hook({ source: 's', handler: 'log' });
    const other = await b.hook({ source: 's', event: 'f', handler: 'log' });
    for (let n = 0; n < 5; n += 1) b.hub.emit('s', n === 4 ? 'f' : 'e', { n, word: `word-${String(n)}` });
    await b.settled();
    const at = `/event-hooks/${id}/deliveries`;
    const numbers = async (query: string) =>
      (await page(b, `${at}?${query}`)).data.map((one) => one.payload.n);
    expect(await numbers('')).toEqual([4, 3, 2, 1, 0]);
    expect(await numbers('event=e')).toEqual([3, 2, 1, 0]);
    expect(await numbers('source=nobody')).toEqual([]);
    expect(await numbers('text=word-2')).toEqual([2]);
    expect(await numbers(`text=${encodeURIComponent('"n":3')}`)).toEqual([3]);
    expect(await numbers('state=dead')).toEqual([]);
    expect(await numbers('until=2001-01-01')).toEqual([]);
    expect(await numbers('since=2001-01-01&until=2999-01-01')).toHaveLength(5);
    const first = await page(b, `${at}?size=2&event=e`);
    expect(first).toMatchObject({ complete: true, looked: 3 });
    const second = await page(b, first.next ?? '');
    expect(second.data.map((one) => one.payload.n)).toEqual([1, 0]);
    expect(second).toMatchObject({ next: null, complete: true });
    const [last] = (await page(b, at)).data;
    for (const key of [last?.event_id ?? '', last?.id ?? ''])
      expect((await page(b, `${at}?id=${key}`)).data.map((one) => one.id)).toEqual([last?.id]);
    // The event of both hooks, and the delivery of one of them.
    const hooksOf = async (key: string) =>
      (await page(b, `/event-hooks/deliveries?id=${key}`)).data.map((one) => one.event_hook.id).sort();
    expect(await hooksOf(last?.event_id ?? '')).toEqual([id, other.id].sort());
    expect(await hooksOf(last?.id ?? '')).toEqual([id]);
    expect(await hooksOf('nothing')).toEqual([]);
  });

  it('that were given up are found over all hooks; other searches name a hook', async () => {
    const b = await bench({ retrySchedule: [] });
    b.receiver.answer = (_request, response) => response.writeHead(500).end('no room');
    const config = { url: b.receiver.url('/x') };
    const hooks = [
      await b.hook({ source: 's', handler: 'webhook', config }),
      await b.hook({ source: 's', handler: 'webhook', config }),
    ];
    b.hub.emit('s', 'e', { n: 1 });
    await b.settled();
    const found = await page(b, '/event-hooks/deliveries?state=dead&event=e&text=no+room');
    expect(found.data.map((one) => one.event_hook.id).sort()).toEqual(hooks.map(({ id }) => id).sort());
    for (const [query, field] of [
      ['', 'state'],
      ['state=waiting', 'state'],
      ['state=gone', 'state'],
      ['state=dead&since=-5', 'since'],
      ['state=dead&until=soon', 'until'],
      [`state=dead&text=${'x'.repeat(257)}`, 'text'],
      ['state=dead&source=a&source=b', 'source'],
    ] as const)
      expect(await b.api('GET', `/event-hooks/deliveries?${query}`)).toMatchObject({
        status: 400,
        body: { fields: { [field]: expect.any(String) as string } },
      });
    expect((await b.api('GET', '/event-hooks/deliveries?state=dead&size=x')).status).toBe(400);
  });

  it('say of each attempt where it went to and what was sent, without secrets, also when the hook has changed', async () => {
    const b = await bench({ retrySchedule: [0] });
    let answers = 0;
    b.receiver.answer = (request, response) => {
      if (request.path.startsWith('/first')) answers += 1;
      response.writeHead(answers === 1 && request.path.startsWith('/first') ? 503 : 200);
      response.end(`for ${request.path} with ${String(request.headers.authorization)}`);
    };
    const { id } = await b.hook({
      source: 's',
      event: 'e',
      handler: 'webhook-custom',
      config: {
        url: b.receiver.url('/first?key=hidden-in-url'),
        method: 'PUT',
        body: '{{ word }}',
        secret: 'signing-secret',
        headers: { authorization: 'Bearer hidden-in-header', accept: 'text/plain' },
      },
    });
    b.hub.emit('s', 'e', { word: 'hello' });
    await b.receiver.untilTrue(() => answers === 2);
    await b.settled();
    await b.api('PATCH', `/event-hooks/${id}`, { config: { url: b.receiver.url('/second') } });
    const [delivery] = (await page(b, `/event-hooks/${id}/deliveries`)).data;
    await b.api('POST', `/event-hooks/deliveries/${delivery?.id ?? ''}/replay`);
    await b.receiver.until('/second', 1);
    await b.settled();
    const one = (await b.api<Delivery>('GET', `/event-hooks/deliveries/${delivery?.id ?? ''}`)).body;
    expect(one.history?.map(({ request }) => request.url)).toEqual([
      b.receiver.url('/first?***'),
      b.receiver.url('/first?***'),
      b.receiver.url('/second'),
    ]);
    expect(one.history?.[0]).toMatchObject({
      status: 503,
      response: 'for /first?key=*** with ***',
      request: {
        method: 'PUT',
        address: `127.0.0.1:${String(b.receiver.port)}`,
        headers: {
          accept: 'text/plain',
          authorization: '***',
          'x-kong-signature': '***',
          'webhook-id': delivery?.id,
        },
      },
    });
    expect(JSON.stringify(one)).not.toMatch(/hidden-in|signing-secret/);
    // As the target got it.
    const [sent] = b.receiver.at('/second');
    expect(one.history?.[2]?.request.headers['webhook-timestamp']).toBe(sent?.headers['webhook-timestamp']);
  });
});

describe('a search that takes long', () => {
  const portion = (looked: number, before: string | null): SearchPortion => ({ found: [], looked, before });

  it('stops when its time is up, and says where it goes on', async () => {
    let calls = 0;
    const store = { search: async () => portion(10, String(++calls)) };
    const found = await searchDeliveries(store, { hookId: 'a', size: 5 }, 0);
    expect(found).toEqual({ found: [], looked: 10, before: '1' });
  });

  it('goes on portion by portion until everything was looked at, and lets other work in between', async () => {
    const asked: (string | undefined)[] = [];
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    const store = {
      search: async ({ before }: { before?: string }) => {
        asked.push(before);
        const end = performance.now() + 3;
        while (performance.now() < end);
        return portion(1, asked.length === 4 ? null : String(asked.length));
      },
    };
    expect(await searchDeliveries(store, { hookId: 'a', size: 5 }, 60_000)).toEqual({
      found: [],
      looked: 4,
      before: null,
    });
    clearInterval(timer);
    expect(asked).toEqual([undefined, '1', '2', '3']);
    expect(turns).toBeGreaterThan(0);
  });
});

describe('the history of hooks', () => {
  it('has hours with attempts, what was delivered and failed in them, latencies, and what is left', async () => {
    const clock = new ManualClock();
    const b = await bench({ clock, retrySchedule: [] });
    b.receiver.answer = (request, response) =>
      response.writeHead(request.body.includes('bad') ? 500 : 200).end();
    const { id } = await b.hook({ source: 's', handler: 'webhook', config: { url: b.receiver.url('/x') } });
    const idle = await b.hook({ source: 'nobody', handler: 'log' });
    await b.settled();
    const emit = async (word: string): Promise<void> => {
      b.hub.emit('s', 'e', { word });
      await b.settled();
    };
    await emit('good');
    await emit('bad');
    await clock.advance(2 * hour);
    await emit('good');
    const { body } = await b.api<{ from: number; to: number; data: Record<string, unknown>[] }>(
      'GET',
      '/event-hooks/history?hours=3',
    );
    expect([body.to * 1000, (body.from * 1000) % hour]).toEqual([clock.now(), 0]);
    const of = (hook: string) => body.data.find((one) => (one.event_hook as { id: string }).id === hook);
    // The ping of its creation counts, too.
    expect(of(id)).toMatchObject({
      pending: 0,
      waiting: 0,
      dead: 1,
      delivered: 3,
      failed: 1,
      gave_up: 1,
      reason: null,
      hours: [
        { delivered: 2, failed: 1, gave_up: 1 },
        { delivered: 1, failed: 0, gave_up: 0 },
      ],
    });
    expect(of(idle.id)).toMatchObject({ delivered: 0, p50_ms: null, hours: [], dead: 0 });
    const one = await b.api<typeof body>('GET', `/event-hooks/history?hours=1&hook=${id}`);
    expect(one.body.data).toMatchObject([{ delivered: 1, failed: 0, hours: [{ delivered: 1 }] }]);
    expect((await b.api('GET', '/event-hooks/history?hours=169')).status).toBe(400);
    expect((await b.api('GET', '/event-hooks/history?hook=nobody')).status).toBe(404);
  });

  it('says null and why where the store does not answer, and never 0', async () => {
    const b = await bench();
    await b.hook({ source: 's', handler: 'log' });
    b.dispatcher.store.history = () => Promise.reject(new Error('the disk is away'));
    b.dispatcher.store.waitingAndDead = () => Promise.reject(new Error('the disk is away'));
    const { body } = await b.api<{ data: unknown[] }>('GET', '/event-hooks/history');
    expect(body.data).toMatchObject([
      { pending: null, waiting: null, dead: null, delivered: null, failed: null, reason: 'the disk is away' },
    ]);
  });
});
