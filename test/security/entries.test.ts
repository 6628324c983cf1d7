import { expect, it } from 'vitest';
import { newEventId } from '../../src/event-hooks/model/event.ts';
import { bench } from '../event-hooks/support/setup.ts';
import type { Bench } from '../event-hooks/support/setup.ts';

/** One event has one verdict, by whichever door it comes in. */

const nested = (depth: number, open: string, close: string): string =>
  `{"x":${open.repeat(depth)}1${close.repeat(depth)}}`;

type Verdict = 'taken' | 'refused';

/** What becomes of the text of an event's data at each door. */
const doors: Readonly<
  Record<string, (b: Bench, data: string, hooks: readonly string[]) => Promise<Verdict>>
> = {
  'the dispatcher, and so gRPC': async (b, data) => {
    const event = { id: newEventId(), source: 's', event: 'e', data, at: 1_700_000_000_000 };
    return (await b.dispatcher.accept([event])).refused.length === 0 ? 'taken' : 'refused';
  },
  emit: async (b, data) => {
    const before = { ...b.hub.stats, ...b.hub.transport?.stats };
    b.hub.emit('s', 'e', JSON.parse(data) as object);
    await b.hub.flush();
    const after = { ...b.hub.stats, ...b.hub.transport?.stats };
    return after.invalid === before.invalid && after.dropped === before.dropped ? 'taken' : 'refused';
  },
  'one event over HTTP': (b, data) =>
    post(b, '/event-hooks/events', `{"source":"s","event":"e","data":${data}}`),
  'a list of them': (b, data) =>
    post(b, '/event-hooks/events', `{"events":[{"source":"s","event":"e","data":${data}}]}`),
  'the same in a workspace': (b, data) =>
    post(b, '/team/event-hooks/events', `{"source":"s","event":"e","data":${data}}`),
  'a try of each handler': async (b, data, hooks) => {
    const verdicts = new Set<Verdict>();
    for (const id of hooks) verdicts.add(await post(b, `/event-hooks/${id}/test`, data));
    expect(verdicts.size).toBe(1);
    return [...verdicts][0] ?? 'refused';
  },
};

async function post(b: Bench, url: string, payload: string): Promise<Verdict> {
  const headers = { 'content-type': 'application/json' };
  const { statusCode, body } = await b.admin.inject({ method: 'POST', url, payload, headers });
  if (statusCode === 200 || statusCode === 202) return 'taken';
  expect([statusCode, body]).toEqual([expect.toBeOneOf([400, 413]), expect.stringMatching(/message/)]);
  return 'refused';
}

const cases: readonly (readonly [string, string, Verdict])[] = [
  ['128 levels of objects', nested(127, '{"a":', '}'), 'taken'],
  ['129 levels of objects', nested(128, '{"a":', '}'), 'refused'],
  ['128 levels of lists', nested(127, '[', ']'), 'taken'],
  ['129 levels of lists', nested(128, '[', ']'), 'refused'],
  ['3,000 levels', nested(3000, '{"a":[', ']}'), 'refused'],
  ['20,000 levels', nested(20_000, '{"a":', '}'), 'refused'],
  ['60,000 levels', nested(60_000, '[', ']'), 'refused'],
  ['as many bytes as there may be', `{"a":"${'x'.repeat(1024 * 1024 - 8)}"}`, 'taken'],
  ['names of every object', '{"__proto__":{"a":1},"constructor":{"prototype":{}},"toString":1}', 'taken'],
  ['halves of characters', String.raw`{"\ud800":"\udfff\u0000"}`, 'taken'],
  ['names of the event itself', '{"source":null,"event":[1],"id":{}}', 'taken'],
  ['numbers beyond everything', '{"a":1e999,"b":9007199254740993,"c":-0}', 'taken'],
  ['a list', '[1]', 'refused'],
  ['a text', '"x"', 'refused'],
];

it('the data of an event has one verdict everywhere', async () => {
  const b = await bench();
  const url = b.receiver.url('/a');
  const hooks = [
    { handler: 'webhook', config: { url } },
    { handler: 'webhook-custom', config: { url, method: 'POST', payload: { x: '{{ x }}' } } },
    { handler: 'lambda', config: { functions: ['return function() return true end'] } },
    { handler: 'log' },
  ];
  const ids = [];
  for (const hook of hooks) ids.push((await b.hook({ source: 's', ...hook })).id);
  for (const [what, data, verdict] of cases) {
    const verdicts: Record<string, Verdict> = {};
    for (const [name, door] of Object.entries(doors)) verdicts[name] = await door(b, data, ids);
    expect([what, verdicts]).toEqual([
      what,
      Object.fromEntries(Object.keys(doors).map((name) => [name, verdict])),
    ]);
  }
});

it('numbers that a JavaScript number cannot hold arrive as they were written, also over HTTP and in a try', async () => {
  const b = await bench();
  const data = '{"n":9007199254740993,"l":[-18446744073709551615]}';
  const { id } = await b.hook({ source: 's', handler: 'webhook', config: { url: b.receiver.url('/a') } });
  const { id: lambda } = await b.hook({
    source: 's',
    handler: 'lambda',
    config: {
      functions: ['return function(data) return data.n > 9007199254740990 and data.l[1] < -1e19 end'],
    },
  });
  const headers = { 'content-type': 'application/json' };
  for (const [path, payload] of [
    ['events', `{"source":"s","event":"e","data":${data}}`],
    [`${id}/test`, data],
    [`${lambda}/test`, data],
  ] as const) {
    const answer = await b.admin.inject({ method: 'POST', url: `/event-hooks/${path}`, payload, headers });
    expect(answer.statusCode).toBeLessThan(300);
    if (path !== 'events') expect(answer.body).toContain('9007199254740993');
    if (path.startsWith(lambda)) expect(answer.json()).toMatchObject({ result: true });
  }
  const sent = await b.receiver.until('/a', 2);
  expect(sent.map(({ body }) => body.includes('"n":9007199254740993,"l":[-18446744073709551615]'))).toEqual([
    true,
    true,
  ]);
});
