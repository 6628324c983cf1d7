import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Hook } from '../../../src/event-hooks/model/hook.ts';
import { latencyBucket } from '../../../src/event-hooks/store/latency.ts';
import type {
  AttemptResult,
  DeliverySearch,
  HookStore,
  NewEvent,
  SentRequest,
} from '../../../src/event-hooks/store/types.ts';
import type { StoreUnderTest } from './store-suite.ts';

const hour = 3_600_000;
const hook = (id: string): Hook => ({
  id,
  created_at: 1,
  updated_at: 2,
  source: 's',
  event: null,
  on_change: null,
  snooze: null,
  handler: 'log',
  config: {},
});
const event = (id: string, hooks: string[], more: Partial<NewEvent> = {}): NewEvent => ({
  id,
  source: 's',
  event: 'e',
  at: 1000,
  payload: `{"id":"${id}"}`,
  hooks,
  ...more,
});
const result = (hookId: string, seq: number, more: Partial<AttemptResult> = {}): AttemptResult => ({
  hookId,
  seq,
  epoch: 1,
  state: 'delivered',
  attempts: 1,
  due: 0,
  finishedAt: 5000,
  status: 200,
  latencyMs: 1.5,
  error: null,
  response: 'ok',
  ...more,
});
const request = (path: string): SentRequest => ({
  method: 'POST',
  url: `https://target.test/${path}`,
  address: '192.0.2.1:443',
  headers: { 'content-type': 'application/json', authorization: '***' },
});

/** What every store has to find and to count, for those who look at it. */
export function searchConformance(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`store: ${name}: what is looked for`, () => {
    let under: StoreUnderTest;
    let store: HookStore;
    beforeEach(async () => {
      under = await open();
      store = under.store;
      await store.saveHook(hook('a'));
      await store.saveHook(hook('b'));
      await store.lease('x', 0, 500, { roles: [], groups: ['g'] });
    });
    afterEach(async () => {
      await store.close().catch(() => undefined);
      await under.end();
    });
    const commit = async (...events: NewEvent[]): Promise<number[]> =>
      (await store.commit(events, [])).map(Number);
    const dies = async (hookId: string, ...seqs: number[]): Promise<void> => {
      const gaveUp = { state: 'dead', status: 500, error: 'status 500' } as const;
      await store.commit(
        [],
        seqs.map((seq) => result(hookId, seq, gaveUp)),
      );
    };
    /** Everything that a search finds, portion by portion, and in how many portions. */
    const all = async (query: Partial<DeliverySearch>): Promise<{ ids: string[]; looked: number[] }> => {
      const ids: string[] = [];
      const looked: number[] = [];
      let before: string | undefined;
      do {
        const portion = await store.search({
          hookId: 'a',
          size: 100,
          most: 100,
          ...query,
          ...(before === undefined ? {} : { before }),
        });
        ids.push(...portion.found.map((one) => `${one.eventId}${one.hookId}`));
        looked.push(portion.looked);
        before = portion.before ?? undefined;
      } while (before !== undefined);
      return { ids, looked };
    };

    it('finds deliveries of a hook by each condition, newest first, as they are recorded', async () => {
      const seqs = await commit(
        event('1', ['a', 'b']),
        event('2', ['a'], { source: 't', at: 2000 }),
        event('3', ['a'], { event: 'f', at: 3000, payload: '{"x":"100% _é"}' }),
        event('4', ['b']),
      );
      await dies('a', seqs[0] ?? 0);
      await store.commit([], [result('a', seqs[1] ?? 0, { response: 'thanks for 7' })]);
      expect((await all({})).ids).toEqual(['3a', '2a', '1a']);
      expect((await all({ hookId: 'b' })).ids).toEqual(['4b', '1b']);
      expect((await all({ hookId: 'nobody' })).ids).toEqual([]);
      expect((await all({ state: 'dead' })).ids).toEqual(['1a']);
      expect((await all({ state: 'pending' })).ids).toEqual(['3a']);
      expect((await all({ since: 2000 })).ids).toEqual(['3a', '2a']);
      expect((await all({ until: 2000 })).ids).toEqual(['1a']);
      expect((await all({ since: 2000, until: 3000 })).ids).toEqual(['2a']);
      expect((await all({ source: 't' })).ids).toEqual(['2a']);
      expect((await all({ event: 'f' })).ids).toEqual(['3a']);
      expect((await all({ source: 't', event: 'f' })).ids).toEqual([]);
      const [found] = (await store.search({ hookId: 'a', state: 'dead', size: 1, most: 10 })).found;
      expect(found).toEqual((await store.deliveries({ hookId: 'a', state: 'dead', size: 1 }))[0]);
    });

    it('finds a text letter by letter in payload, error and answer', async () => {
      const seqs = await commit(
        event('1', ['a']),
        event('2', ['a']),
        event('3', ['a'], { payload: '{"x":"100% _é"}' }),
      );
      await dies('a', seqs[0] ?? 0);
      await store.commit([], [result('a', seqs[1] ?? 0, { response: 'thanks for 7' })]);
      for (const [text, ids] of [
        ['status 5', ['1a']],
        ['for 7', ['2a']],
        ['% _é"}', ['3a']],
        ['"id":"', ['2a', '1a']],
        ['%', ['3a']],
        ['_', ['3a']],
        ['FOR', []],
        ["' OR 1=1 --", []],
      ] as const)
        expect([text, (await all({ text })).ids]).toEqual([text, ids]);
    });

    it('looks at a bounded number, says how many, and goes on where it has stopped', async () => {
      await commit(...Array.from({ length: 7 }, (_, n) => event(String(n), ['a'], { at: n })));
      expect(await all({ size: 2 })).toEqual({
        ids: ['6a', '5a', '4a', '3a', '2a', '1a', '0a'],
        looked: [2, 2, 2, 1],
      });
      expect(await all({ most: 3, until: 1 })).toEqual({ ids: ['0a'], looked: [3, 3, 1] });
      const first = await store.search({ hookId: 'a', size: 2, most: 5 });
      // What comes in the meantime is newer, and disturbs nobody.
      await commit(event('new', ['a']));
      const next = await store.search({ hookId: 'a', size: 2, most: 5, before: first.before ?? '' });
      expect(next.found.map((one) => one.eventId)).toEqual(['4', '3']);
      expect(
        (await store.search({ hookId: 'a', size: 9, most: 9, before: 'of somebody else' })).found,
      ).toHaveLength(8);
    });

    it('finds the dead ones over all hooks, those of one event after each other', async () => {
      const seqs = await commit(event('1', ['a', 'b']), event('2', ['b']), event('3', ['a', 'b']));
      await dies('a', seqs[0] ?? 0);
      await dies('b', ...seqs);
      expect((await all({ hookId: null, size: 1 })).ids.sort()).toEqual(['1a', '1b', '2b', '3b']);
      const { ids } = await all({ hookId: null, most: 3 });
      expect(ids.map((id) => id[0])).toEqual(['3', '2', '1', '1']);
      expect((await all({ hookId: null, text: '"2"' })).ids).toEqual(['2b']);
      expect(await store.waitingAndDead()).toEqual(
        new Map([
          ['a', { waiting: 0, dead: 1 }],
          ['b', { waiting: 0, dead: 3 }],
        ]),
      );
      await store.replay({ hookId: 'b', states: ['dead'], size: 2 }, 1);
      await store.deleteHook('a');
      expect((await all({ hookId: null })).ids).toEqual(['3b']);
      expect(await store.waitingAndDead()).toEqual(new Map([['b', { waiting: 2, dead: 1 }]]));
    });

    it('makes deliveries of chosen events due again, and those only', async () => {
      const seqs = await commit(
        event('1', ['a', 'b']),
        event('2', ['a']),
        event('3', ['a']),
        event('4', ['a']),
      );
      await dies('a', ...seqs.slice(0, 3));
      await dies('b', seqs[0] ?? 0);
      const [one = 0, , three = 0, four = 0] = seqs;
      const replayed = await store.replay({ hookId: 'a', seqs: [four, three, one, 999_999], size: 9 }, 1);
      expect(replayed).toEqual({ seqs: [one, three], waited: 0 });
      const states = ['waiting', 'dead'] as const;
      expect(await store.replay({ hookId: 'a', seqs, states, size: 9 }, 1)).toEqual({
        seqs: seqs.slice(0, 3),
        waited: 2,
      });
      expect(await store.replay({ hookId: 'a', seqs: [], size: 9 }, 1)).toEqual({ seqs: [], waited: 0 });
      expect(await store.counts('a')).toEqual({ pending: 1, waiting: 3, delivered: 0, dead: 0 });
      expect(await store.counts('b')).toMatchObject({ dead: 1 });
    });

    it('knows the latest events of a source', async () => {
      await commit(
        event('1', ['a']),
        event('2', ['b'], { source: 't' }),
        event('3', ['a', 'b'], { event: 'f', at: 7 }),
        event('4', []),
      );
      expect(await store.recentEvents({ source: 's', size: 9 })).toEqual([
        { id: '3', source: 's', event: 'f', at: 7, payload: '{"id":"3"}' },
        { id: '1', source: 's', event: 'e', at: 1000, payload: '{"id":"1"}' },
      ]);
      expect((await store.recentEvents({ source: 's', size: 1 })).map(({ id }) => id)).toEqual(['3']);
      expect((await store.recentEvents({ source: 's', event: 'e', size: 9 })).map(({ id }) => id)).toEqual([
        '1',
      ]);
      expect(await store.recentEvents({ source: 'nobody', size: 9 })).toEqual([]);
      const ids = async (more: object): Promise<string[]> =>
        (await store.recentEvents({ source: 's', size: 9, ...more })).map(({ id }) => id);
      expect(await ids({ id: '1' })).toEqual(['1']);
      // Of another source.
      expect(await ids({ id: '2' })).toEqual([]);
      expect([await ids({ mostSize: 1 }), await ids({ mostSize: 11 })]).toEqual([['3'], ['3', '1']]);
    });

    it('keeps with each attempt what it has sent and what came back, whatever the hook is now', async () => {
      const [seq = 0, other = 0] = await commit(event('1', ['a']), event('2', ['a']));
      await store.commit([], [result('a', other, { request: request('once') })]);
      await store.commit(
        [],
        [
          result('a', seq, {
            state: 'waiting',
            status: 503,
            error: 'status 503',
            response: 'busy',
            request: request('before'),
          }),
        ],
      );
      await store.saveHook({ ...hook('a'), config: { url: 'https://elsewhere.test' } });
      await store.commit([], [result('a', seq, { attempts: 2, request: request('after') })]);
      const sent = async (id: string): Promise<unknown> =>
        (await store.delivery('a', id))?.history?.map((one) => [one.attempt, one.response, one.request]);
      expect(await sent('1')).toEqual([
        [1, 'busy', request('before')],
        [2, 'ok', request('after')],
      ]);
      expect(await sent('2')).toEqual([[1, 'ok', request('once')]]);
      await store.replay({ hookId: 'a', seq: other, size: 1 }, 1);
      expect(await sent('2')).toEqual([[1, 'ok', request('once')]]);
      await store.commit([], [result('a', other, { attempts: 2, response: 'again' })]);
      expect(await sent('2')).toEqual([
        [1, 'ok', request('once')],
        [2, 'again', null],
      ]);
    });

    it('counts attempts by the hour of their end: what was delivered, failed and given up, and how long it took', async () => {
      const [one = 0, two = 0, three = 0] = await commit(
        event('1', ['a']),
        event('2', ['a']),
        event('3', ['b']),
      );
      const failed = { state: 'waiting', error: 'no', latencyMs: 90 } as const;
      const at = 10 * hour;
      await store.commit(
        [],
        [
          result('a', one, { finishedAt: at, latencyMs: 2 }),
          result('a', two, { ...failed, finishedAt: at + 1 }),
          result('b', three, { finishedAt: at + hour - 1 }),
          // Under an epoch that has passed: it was not stored.
          result('b', three, { finishedAt: at, epoch: 9 }),
        ],
      );
      await store.commit(
        [],
        [result('a', two, { ...failed, state: 'dead', attempts: 2, finishedAt: at + hour })],
      );
      const history = await store.history(at);
      expect(history.since).toBeGreaterThan(0);
      const hours = history.hours
        .map(({ latencies, ...rest }) => ({ ...rest, latencies: [...latencies].sort(([a], [b]) => a - b) }))
        .sort((a, b) => a.hour - b.hour || (a.hookId < b.hookId ? -1 : 1));
      expect(hours).toEqual([
        {
          hookId: 'a',
          hour: at,
          delivered: 1,
          failed: 1,
          dead: 0,
          latencies: [
            [latencyBucket(2), 1],
            [latencyBucket(90), 1],
          ],
        },
        { hookId: 'b', hour: at, delivered: 1, failed: 0, dead: 0, latencies: [[latencyBucket(1.5), 1]] },
        {
          hookId: 'a',
          hour: at + hour,
          delivered: 0,
          failed: 1,
          dead: 1,
          latencies: [[latencyBucket(90), 1]],
        },
      ]);
      expect((await store.history(at + hour)).hours.map(({ hookId }) => hookId)).toEqual(['a']);
    });

    it('keeps the hours of a hook until it is deleted or they are older than records', async () => {
      const [one = 0, two = 0] = await commit(event('1', ['a', 'b']), event('2', ['b']));
      await store.commit(
        [],
        [
          result('a', one, { finishedAt: 5 * hour }),
          result('b', one, { finishedAt: 5 * hour }),
          result('b', two, { finishedAt: 9 * hour }),
        ],
      );
      const before = (await store.history(0)).since;
      if (under.reopen !== null) store = await under.reopen();
      await store.hooks();
      expect((await store.history(0)).since).toBe(before);
      expect((await store.history(0)).hours).toHaveLength(3);
      await store.deleteHook('a');
      expect((await store.history(0)).hours.map(({ hookId }) => hookId)).toEqual(['b', 'b']);
      await store.prune({ olderThan: 6 * hour, maxEvents: 100 });
      expect((await store.history(0)).hours.map(({ hour: at }) => at)).toEqual([9 * hour]);
    });

    it('says who has the right to deliver, and what it takes', async () => {
      expect(await store.leaseHolder()).toMatchObject({ epoch: 1, until: 500 });
      expect((await store.leaseHolder())?.owner).toContain('x');
      await store.release('x');
      expect(await store.leaseHolder()).toBeNull();
      const before = (await store.size()) ?? 0;
      await commit(event('1', ['a'], { payload: JSON.stringify({ x: 'x'.repeat(100_000) }) }));
      expect((await store.size()) ?? 0).toBeGreaterThan(before);
    });
  });
}
