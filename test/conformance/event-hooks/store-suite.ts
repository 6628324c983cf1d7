import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { anyNumber } from '../../event-hooks/support/expected.ts';
import type { Hook } from '../../../src/event-hooks/model/hook.ts';
import { searchConformance } from './search-suite.ts';
import { anyName } from '../../../src/event-hooks/store/types.ts';
import type {
  AttemptResult,
  HookStore,
  NewEvent,
  StoreChange,
} from '../../../src/event-hooks/store/types.ts';

export interface StoreUnderTest {
  store: HookStore;
  /** Closes the store and opens what it left behind; null for a store that leaves nothing. */
  reopen: (() => Promise<HookStore>) | null;
  /** A second store on the same data, as another process has it; null where there is no such thing. */
  second: (() => Promise<HookStore>) | null;
  end: () => Promise<void>;
}

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
const event = (id: string, hooks: string[], at = 1000): NewEvent => ({
  id,
  source: 's',
  event: 'e',
  at,
  payload: `{"id":"${id}"}`,
  hooks,
});
const result = (hookId: string, seq: number, more: Partial<AttemptResult> = {}): AttemptResult => ({
  hookId,
  seq,
  // Of the first lease on a new store.
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

/** The attempt of such a result. */
const first = {
  attempt: 1,
  finishedAt: 5000,
  status: 200,
  latencyMs: 1.5,
  error: null,
  response: 'ok',
  request: null,
};
const names = { roles: [], groups: ['g'] };
/** Takes or renews the right to one group. */
async function epochOf(store: HookStore, owner: string, now: number, ttlMs: number): Promise<number | null> {
  const { epochs } = await store.lease(owner, now, ttlMs, names);
  return epochs.get('g') ?? epochs.get(anyName) ?? null;
}

/** What every store has to do; run it over an adapter to see whether it can join. */
export function storeConformance(name: string, open: () => Promise<StoreUnderTest>): void {
  searchConformance(name, open);
  describe(`store: ${name}`, () => {
    let under: StoreUnderTest;
    let store: HookStore;
    beforeEach(async () => {
      under = await open();
      store = under.store;
      await store.saveHook(hook('a'));
      await store.saveHook(hook('b'));
      expect(await epochOf(store, 'x', 0, 500)).toBe(1);
    });
    afterEach(async () => {
      await store.close().catch(() => undefined);
      await under.end();
    });
    const reopen = async (): Promise<void> => {
      if (under.reopen !== null) store = await under.reopen();
      await store.hooks();
    };
    const seqsOf = async (hookId: string, after = 0, limit = 100): Promise<number[]> =>
      (await store.pending(hookId, after, limit)).map((one) => one.seq);

    it('keeps hooks', async () => {
      await store.saveHook({ ...hook('a'), snooze: 5 });
      await reopen();
      expect(new Map((await store.hooks()).map((one) => [one.id, one.snooze]))).toEqual(
        new Map([
          ['a', 5],
          ['b', null],
        ]),
      );
      expect(await store.deleteHook('a')).toBe(true);
      expect(await store.deleteHook('a')).toBe(false);
      expect((await store.hooks()).map((one) => one.id)).toEqual(['b']);
    });

    it('gives events rising numbers and keeps their deliveries in order, per hook', async () => {
      const seqs = await store.commit([event('1', ['a', 'b']), event('2', ['a']), event('3', ['b'])], []);
      expect(seqs.every((seq, index) => seq !== null && (index === 0 || seq > (seqs[index - 1] ?? 0)))).toBe(
        true,
      );
      await reopen();
      expect(await seqsOf('a')).toEqual([seqs[0], seqs[1]]);
      expect(await seqsOf('b')).toEqual([seqs[0], seqs[2]]);
      expect(await seqsOf('a', seqs[0] ?? 0)).toEqual([seqs[1]]);
      expect(await seqsOf('a', 0, 1)).toEqual([seqs[0]]);
      expect((await store.pending('a', 0, 1))[0]).toEqual({
        hookId: 'a',
        seq: seqs[0],
        eventId: '1',
        source: 's',
        event: 'e',
        at: 1000,
        payload: '{"id":"1"}',
        attempts: 0,
      });
    });

    it('stores an event once, whatever comes with it the second time', async () => {
      const [first] = await store.commit([event('1', ['a'])], []);
      expect(await store.commit([event('1', ['a', 'b']), event('2', ['b'])], [])).toEqual([null, anyNumber]);
      expect(await seqsOf('a')).toEqual([first]);
      expect(await seqsOf('b')).toHaveLength(1);
    });

    it('records results, and ignores those of deliveries that are gone', async () => {
      const [seq = null] = await store.commit([event('1', ['a'])], []);
      await store.commit([], [result('a', seq ?? 0), result('a', 999), result('gone', seq ?? 0)]);
      await reopen();
      expect(await seqsOf('a')).toEqual([]);
      expect(await store.delivery('a', '1')).toEqual({
        hookId: 'a',
        seq,
        eventId: '1',
        source: 's',
        event: 'e',
        at: 1000,
        payload: '{"id":"1"}',
        attempts: 1,
        state: 'delivered',
        due: null,
        finishedAt: 5000,
        status: 200,
        latencyMs: 1.5,
        error: null,
        response: 'ok',
        history: [first],
      });
      expect(await store.delivery('b', '1')).toBeNull();
      expect(await store.counts('a')).toEqual({ pending: 0, waiting: 0, delivered: 1, dead: 0 });
    });

    it('hands out what is due, once, the earliest first', async () => {
      const seqs = (await store.commit([event('1', ['a']), event('2', ['a']), event('3', ['a'])], [])).map(
        Number,
      );
      const dues = [300, 100, 200];
      await store.commit(
        [],
        seqs.map((seq, index) =>
          result('a', seq, { state: 'waiting', due: dues[index] ?? 0, error: 'x', status: null }),
        ),
      );
      await reopen();
      expect(await seqsOf('a')).toEqual([]);
      expect(await store.nextDue('a')).toBe(100);
      expect(await store.nextDue('b')).toBeNull();
      expect(await store.takeDue('a', 1, 99, 10)).toEqual([]);
      expect((await store.takeDue('a', 1, 250, 10)).map((one) => one.eventId)).toEqual(['2', '3']);
      expect(await store.takeDue('a', 1, 250, 10)).toEqual([]);
      expect(await store.nextDue('a')).toBe(300);
      // Taken and not finished: after a restart they are pending again.
      await reopen();
      expect(await seqsOf('a')).toEqual([seqs[1], seqs[2]]);
      expect((await store.pending('a', 0, 10))[0]?.attempts).toBe(1);
    });

    it('lists newest first, by state, since a time, in pages', async () => {
      const seqs = (
        await store.commit(
          [1, 2, 3, 4].map((n) => event(String(n), ['a'], n * 1000)),
          [],
        )
      ).map(Number);
      await store.commit([], [result('a', seqs[1] ?? 0), result('a', seqs[3] ?? 0, { state: 'dead' })]);
      const ids = async (query: object): Promise<string[]> =>
        (await store.deliveries({ hookId: 'a', size: 10, ...query })).map((one) => one.eventId);
      expect(await ids({})).toEqual(['4', '3', '2', '1']);
      expect(await ids({ size: 2 })).toEqual(['4', '3']);
      expect(await ids({ before: seqs[2] ?? 0 })).toEqual(['2', '1']);
      expect(await ids({ state: 'pending' })).toEqual(['3', '1']);
      expect(await ids({ state: 'dead' })).toEqual(['4']);
      expect(await ids({ since: 3000 })).toEqual(['4', '3']);
    });

    it('replays one, all, since a time, by state, and in portions', async () => {
      const seqs = (
        await store.commit(
          [1, 2, 3, 4].map((n) => event(String(n), ['a'], n * 1000)),
          [],
        )
      ).map(Number);
      const finish = (): Promise<unknown> =>
        store.commit(
          [],
          seqs
            .slice(0, 3)
            .map((seq, index) => result('a', seq, { state: index === 0 ? 'dead' : 'delivered' })),
        );
      const replay = async (query: object): Promise<number[]> => {
        await finish();
        return (await store.replay({ hookId: 'a', size: 10, ...query }, 7000)).seqs;
      };
      expect(await replay({})).toEqual(seqs.slice(0, 3));
      expect((await store.takeDue('a', 1, 7000, 10)).map((one) => one.seq)).toEqual(seqs.slice(0, 3));
      expect(await replay({ seq: seqs[1] })).toEqual([seqs[1]]);
      expect(await replay({ since: 2000 })).toEqual([seqs[1], seqs[2]]);
      expect(await replay({ states: ['dead'] })).toEqual([seqs[0]]);
      expect(await replay({ size: 2 })).toEqual([seqs[0], seqs[1]]);
      expect(await replay({ after: seqs[1] })).toEqual([seqs[2]]);
    });

    it('forgets finished deliveries by age and number, never unfinished ones', async () => {
      const seqs = (
        await store.commit(
          [1, 2, 3, 4, 5].map((n) => event(String(n), ['a', 'b'], n * 1000)),
          [],
        )
      ).map(Number);
      await store.commit(
        [],
        seqs.filter((_, index) => index !== 1).flatMap((seq) => [result('a', seq), result('b', seq)]),
      );
      expect(await store.prune({ olderThan: 0, maxEvents: 100 })).toBe(0);
      await store.prune({ olderThan: 3000, maxEvents: 100 });
      const left = async (): Promise<string[]> =>
        (await store.deliveries({ hookId: 'a', size: 10 })).map((one) => one.eventId);
      expect(await left()).toEqual(['5', '4', '3', '2']);
      await store.prune({ olderThan: 0, maxEvents: 1 });
      expect(await left()).toEqual(['5', '2']);
      expect(await seqsOf('b')).toEqual([seqs[1]]);
      const [next] = await store.commit([event('6', ['a'])], []);
      expect(next).toBeGreaterThan(seqs[4] ?? 0);
    });

    it('lets a deleted hook go with its deliveries', async () => {
      await store.commit([event('1', ['a', 'b'])], []);
      await store.deleteHook('a');
      await store.saveHook(hook('a'));
      expect(await seqsOf('a')).toEqual([]);
      expect(await seqsOf('b')).toHaveLength(1);
    });

    it('remembers firings: on_change and snooze, per hook and identity, only where the event was stored', async () => {
      const held: string[] = [];
      const fire = async (id: string, digest: string | null, snoozeMs: number, now: number, key = 'k') => {
        const one = event(id, ['a', 'b']);
        one.rules = [{ hook: 'a', identity: key, digest, snoozeMs, now }];
        held.length = 0;
        const heldBack = (at: number, hookId: string): unknown => held.push(`${String(at)} ${hookId}`);
        const [seq] = await store.commit([one], [], { heldBack });
        return [seq !== null, ...held];
      };
      expect(await fire('1', 'x', 0, 0)).toEqual([true]);
      expect(await fire('2', 'x', 0, 1)).toEqual([true, '0 a']);
      expect(await fire('3', 'y', 0, 2)).toEqual([true]);
      // The same event once more changes nothing, and is not held back a second time.
      expect(await fire('3', 'x', 0, 2)).toEqual([false]);
      expect(await fire('4', 'y', 0, 2, 'other')).toEqual([true]);
      expect(await fire('5', null, 100, 1000, 's')).toEqual([true]);
      expect(await fire('6', null, 100, 1099, 's')).toEqual([true, '0 a']);
      expect(await fire('7', null, 100, 1100, 's')).toEqual([true]);
      expect((await seqsOf('a')).length).toBe(5);
      // An event that fires nothing is not stored at all.
      const none = event('8', ['a']);
      none.rules = [{ hook: 'a', identity: 'k', digest: 'y', snoozeMs: 0, now: 5 }];
      expect(await store.commit([none], [])).toEqual([null]);
      await store.saveHook(hook('a'));
      expect(await fire('9', 'y', 0, 6)).toEqual([true]);
      // Clocks that are a little apart snooze; one that went back for an hour does not snooze for an hour.
      expect(await fire('10', null, 100, 10_000_000, 'back')).toEqual([true]);
      expect(await fire('11', null, 100, 9_999_000, 'back')).toEqual([true, '0 a']);
      expect(await fire('12', null, 100, 6_400_000, 'back')).toEqual([true]);
      expect(await fire('13', null, 100, 6_400_099, 'back')).toEqual([true, '0 a']);
    });

    it('shares what it remembers, and keeps it', async (context) => {
      if (under.second === null || under.reopen === null) {
        context.skip('this store cannot be shared');
        return;
      }
      const fires = async (one: HookStore, id: string): Promise<boolean> => {
        const made = event(id, ['a']);
        made.rules = [{ hook: 'a', identity: 'k', digest: 'x', snoozeMs: 0, now: 0 }];
        return (await one.commit([made], []))[0] !== null;
      };
      const other = await under.second();
      await other.hooks();
      expect([await fires(store, '1'), await fires(other, '2')]).toEqual([true, false]);
      await other.close();
      store = await under.reopen();
      await store.hooks();
      expect(await fires(store, '3')).toBe(false);
    });

    it('keeps the last ten attempts of a delivery that needed more than one', async () => {
      const [seq = null] = await store.commit([event('1', ['a']), event('2', ['a'])], []);
      const number = seq ?? 0;
      await store.commit([], [result('a', number)]);
      expect((await store.delivery('a', '1'))?.history).toEqual([first]);
      await store.replay({ hookId: 'a', seq: number, size: 1 }, 1);
      for (let attempts = 2; attempts <= 13; attempts += 1) {
        await store.commit(
          [],
          [result('a', number, { attempts, state: 'waiting', status: null, error: 'no' })],
        );
        if (attempts === 2) {
          expect((await store.delivery('a', '1'))?.history?.map((one) => one.attempt)).toEqual([1, 2]);
        }
      }
      const history = (await store.delivery('a', '1'))?.history ?? [];
      expect(history.map((one) => one.attempt)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
      expect(history[0]).toEqual({ ...first, attempt: 4, status: null, error: 'no' });
      expect((await store.delivery('a', '2'))?.history).toEqual([]);
    });

    it('lets one owner deliver at a time, and the next when that one ends', async (context) => {
      expect(await epochOf(store, 'x', 1000, 500)).toBe(1);
      expect(await epochOf(store, 'x', 1400, 500)).toBe(1);
      if (under.second === null) {
        context.skip('this store cannot be shared');
        return;
      }
      const other = await under.second();
      expect(await epochOf(other, 'y', 1500, 500)).toBeNull();
      expect(await epochOf(other, 'y', 1901, 500)).toBe(2);
      expect(await epochOf(store, 'x', 2000, 500)).toBeNull();
      await other.release('y');
      expect(await epochOf(store, 'x', 2000, 500)).toBe(3);
      await other.close();
    });

    it('gives each owner an epoch above the one before, also after the store was closed', async () => {
      expect(await epochOf(store, 'y', 499, 500)).toBeNull();
      expect(await epochOf(store, 'y', 500, 500)).toBe(2);
      await store.release('x');
      expect(await epochOf(store, 'z', 999, 500)).toBeNull();
      await store.release('y');
      await reopen();
      expect(await epochOf(store, 'z', 999, 500)).toBe(3);
    });

    it('takes and records nothing under an epoch that has passed, and stores the events beside it', async () => {
      const seqs = (await store.commit([event('1', ['a']), event('2', ['a'])], [])).map(Number);
      const [first = 0, second = 0] = seqs;
      await store.commit([], [result('a', second, { state: 'waiting', due: 10 })]);
      // The owner stands still for longer than its lease, and another one delivers.
      expect(await epochOf(store, 'y', 500, 500)).toBe(2);
      await store.commit([], [result('a', first, { epoch: 2 })]);
      const late = [
        result('a', first, { state: 'waiting', due: 20, attempts: 7 }),
        result('a', second, { state: 'dead', attempts: 7 }),
      ];
      const fenced: AttemptResult[] = [];
      const stored = await store.commit([event('3', ['a'])], late, {
        fenced: (one) => fenced.push(one),
      });
      expect(stored).toEqual([anyNumber]);
      expect(fenced).toEqual(late);
      expect(await store.takeDue('a', 1, 1000, 10)).toEqual([]);
      expect(await store.counts('a')).toEqual({ pending: 1, waiting: 1, delivered: 1, dead: 0 });
      expect((await store.unfinished()).get('a')).toBe(2);
      expect((await store.delivery('a', '1'))?.attempts).toBe(1);
      expect((await store.takeDue('a', 2, 1000, 10)).map((one) => one.eventId)).toEqual(['2']);
    });

    it('tells of what another process has written, and not of what it has written itself', async (context) => {
      const told: StoreChange[] = [];
      const end = store.onChange((change) => told.push(change));
      await store.saveHook(hook('c'));
      await store.commit([event('0', ['a'])], []);
      store.catchUp();
      expect(told).toEqual([]);
      if (under.second === null) {
        context.skip('this store cannot be shared');
        return;
      }
      const other = await under.second();
      const untilTold = (what: keyof StoreChange): Promise<void> =>
        vi.waitFor(() => {
          expect(told.some((change) => change[what])).toBe(true);
        }, 5000);
      await other.saveHook(hook('d'));
      await untilTold('hooks');
      expect((await store.hooks()).map((one) => one.id)).toContain('d');
      told.length = 0;
      await other.hooks();
      await other.commit([event('1', ['a'])], []);
      await untilTold('deliveries');
      expect(await seqsOf('a')).toHaveLength(2);
      end();
      told.length = 0;
      await other.deleteHook('d');
      store.catchUp();
      expect(told).toEqual([]);
      await other.close();
    });

    it('tells nobody any more once it is closed, and can be asked to catch up even then', async () => {
      const told: StoreChange[] = [];
      store.onChange((change) => told.push(change));
      await store.close();
      store.catchUp();
      expect(told).toEqual([]);
    });
  });
}
