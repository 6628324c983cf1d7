import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EmitBuffer } from '../../src/event-hooks/client/emit-buffer.ts';
import type { TransportStats } from '../../src/event-hooks/client/transport.ts';
import { newEventId } from '../../src/event-hooks/model/event.ts';
import type { HookEvent } from '../../src/event-hooks/model/event.ts';
import { bench, tempDir } from '../event-hooks/support/setup.ts';
import { bounds } from './support/rounds.ts';

const made = (data: string, fields: Partial<HookEvent> = {}): HookEvent => ({
  id: newEventId(),
  source: 's',
  event: 'e',
  data,
  at: 1_700_000_000_000,
  ...fields,
});
const nested = (depth: number, open = '{"a":', close = '}'): string =>
  `{"x":${open.repeat(depth)}null${close.repeat(depth)}}`;

describe('one event among others', () => {
  it.each([
    ['nested 3,000 deep', made(nested(3000))],
    ['nested 200,000 deep', made(nested(200_000))],
    ['lists nested deep', made(nested(5000, '[', ']'))],
    ['no object', made('[1]')],
    ['no JSON', made('{"a":')],
    ['a time beyond every date', made('{}', { at: 9e18 })],
    ['a time that is none', made('{}', { at: NaN })],
    ['a time before the epoch', made('{}', { at: -1 })],
    ['a time with a fraction', made('{}', { at: 1.5 })],
    ['larger than the limit in bytes, not in characters', made(`{"a":"${'€'.repeat(400_000)}"}`)],
    ['an id that is none', made('{}', { id: 'a b' })],
  ])('%s: it is refused by its index, and the 499 others are delivered', async (_what, poison) => {
    for (const options of [{}, { dataDir: tempDir() }]) {
      const b = await bench(options);
      await b.hook({ source: 's', handler: 'log' });
      const others = Array.from({ length: 499 }, (_, n) => made(`{"n":${String(n)},"x":null}`));
      const { refused } = await b.dispatcher.accept([...others.slice(0, 7), poison, ...others.slice(7)]);
      expect(refused.map(({ index }) => index)).toEqual([7]);
      await b.settled();
      expect(b.log.lines.filter((line) => line.message === 'event hook').length).toBe(499);
    }
  });

  it('that the hub of the process sends does not hold the others back', async () => {
    const b = await bench();
    await b.hook({ source: 's', handler: 'log' });
    let deep: object = {};
    for (let level = 0; level < 1500; level += 1) deep = { a: deep, n: null };
    b.hub.emit('s', 'e', { deep });
    for (let n = 0; n < 20; n += 1) b.hub.emit('s', 'e', { n });
    await b.settled();
    expect(b.log.lines.filter((line) => line.message === 'event hook').length).toBe(20);
    expect(b.hub.transport?.stats).toMatchObject({ dropped: 1, buffered: 0 });
  });

  it('whatever it holds, a batch is answered, and what is not refused is stored and can be read', async () => {
    const b = await bench({ dataDir: tempDir() });
    const { id } = await b.hook({ source: 's', handler: 'log' });
    const text = fc.oneof(
      fc.json({ maxDepth: 4 }),
      fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()).map((one) => JSON.stringify(one)),
      fc.nat(3000).map((depth) => nested(depth)),
      fc.bigInt().map((n) => `{"n":${String(n)},"x":null}`),
      fc.constantFrom(
        '{"a":1e999}',
        '{"__proto__":{"x":1}}',
        '{"a":"\\ud800"}',
        '{"source":null,"event":[]}',
      ),
    );
    const at = fc.oneof(fc.nat(), fc.double(), fc.constantFrom(2 ** 53, 2 ** 63, -0));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ text, at }), { maxLength: 12 }), async (list) => {
        const events = list.map((one) => made(one.text, { at: one.at }));
        const { refused } = await b.dispatcher.accept([...events, made('{"last":1}')]);
        expect(refused.every(({ index }) => index < events.length)).toBe(true);
        await b.settled();
        expect((await b.api('GET', `/event-hooks/${id}/deliveries?size=50`)).status).toBe(200);
      }),
      bounds(40),
    );
  });
});

describe('numbers that a JavaScript number cannot hold', () => {
  it('arrive as they were emitted, with null members taken out and in templates', async () => {
    const b = await bench();
    await b.hook({
      source: 'crud',
      event: 'x:create',
      handler: 'webhook',
      config: { url: b.receiver.url('/a') },
    });
    await b.hook({
      source: 'crud',
      handler: 'webhook-custom',
      filter: { n: { gt: 9007199254740000 } },
      config: { url: b.receiver.url('/b'), method: 'POST', body: '{"n":{{ n }},"l":{* l *}}' },
    });
    const data = '{"operation":"create","n":9007199254740993,"gone":null,"l":[-18446744073709551615,1.5]}';
    await b.dispatcher.accept([made(data, { source: 'crud', event: 'x' })]);
    const [plain] = await b.receiver.until('/a', 1);
    const [custom] = await b.receiver.until('/b', 1);
    expect(plain?.body).toContain('"n":9007199254740993,"l":[-18446744073709551615,1.5]');
    expect(custom?.body).toBe('{"n":9007199254740993,"l":[-18446744073709551615,1.5]}');
  });

  it('that differ only beyond 2^53 are a change', async () => {
    const b = await bench();
    await b.hook({ source: 's', handler: 'log', on_change: true });
    for (const n of ['9007199254740992', '9007199254740993', '9007199254740993'])
      await b.dispatcher.accept([made(`{"n":${n}}`)]);
    await b.settled();
    expect(b.log.lines.filter((line) => line.message === 'event hook').length).toBe(2);
  });
});

describe('a sender whose batch is never taken', () => {
  const stats = (): TransportStats => ({ sent: 0, acknowledged: 0, dropped: 0, buffered: 0 });

  /** A dispatcher that fails every batch with the poison in it, for as many rounds as it takes. */
  function run(buffer: EmitBuffer, poison: string, rounds: number, up = true): string[] {
    const taken: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const sent = [];
      for (let batch = buffer.next(); batch !== null; batch = buffer.next()) sent.push(batch);
      for (const { number, events } of sent) {
        if (!up || events.some((event) => event.id === poison)) buffer.putBack(number);
        else {
          taken.push(...events.map((event) => event.id));
          buffer.acknowledge(number, 0);
        }
      }
    }
    return taken;
  }

  it('finds the one event that is the reason, hands the others over in order, and gives that one up', () => {
    const counted = stats();
    const buffer = new EmitBuffer(10_000, 1e8, counted);
    const events = Array.from({ length: 500 }, (_, n) => made('{}', { id: String(n) }));
    buffer.add(events);
    const taken = run(buffer, '123', 60);
    expect(taken).toHaveLength(499);
    expect(counted).toMatchObject({ buffered: 1, dropped: 0 });
    for (let n = 0; n < 10; n += 1) {
      buffer.add([made('{}')]);
      run(buffer, '123', 1);
    }
    expect(counted).toMatchObject({ buffered: 0, dropped: 1 });
  });

  it('gives nothing up while nothing at all is taken, and keeps the order', () => {
    const counted = stats();
    const buffer = new EmitBuffer(10_000, 1e8, counted);
    buffer.add(Array.from({ length: 1200 }, (_, n) => made('{}', { id: String(n) })));
    run(buffer, '', 200, false);
    expect(counted).toMatchObject({ buffered: 1200, dropped: 0 });
    expect(run(buffer, '', 1)).toEqual(Array.from({ length: 1200 }, (_, n) => String(n)));
  });

  it('never sends an event that no dispatcher could take', () => {
    const counted = stats();
    const buffer = new EmitBuffer(10_000, 32 * 1024 * 1024, counted);
    buffer.add([made(`{"a":"${'x'.repeat(17 * 1024 * 1024)}"}`), made('{}')]);
    expect(buffer.next()?.events.map((event) => event.data)).toEqual(['{}']);
    expect(counted).toMatchObject({ dropped: 1, buffered: 1 });
  });
});
