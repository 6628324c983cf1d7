import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { anyNumber, having } from '../../event-hooks/support/expected.ts';
import { silentLog } from '../../../src/event-hooks/log.ts';
import type { Hook } from '../../../src/event-hooks/model/hook.ts';
import { openStore, storeOf } from '../../../src/event-hooks/store/open.ts';
import { MemoryStore } from '../../../src/event-hooks/store/memory.ts';
import { SqliteStore } from '../../../src/event-hooks/store/sqlite/store.ts';
import { storeConformance } from './store-suite.ts';

const hookNamed = (id: string): Hook => ({
  id,
  created_at: 1,
  updated_at: 1,
  source: 's',
  event: null,
  on_change: null,
  snooze: null,
  handler: 'log',
  config: {},
});

storeConformance('memory', async () => ({
  store: new MemoryStore(),
  reopen: null,
  second: null,
  end: async () => {},
}));

for (const synchronous of ['normal', 'full'] as const) {
  storeConformance(`sqlite, synchronous=${synchronous}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kong-ts-store-'));
    const file = join(folder, 'event-hooks.db');
    let store = new SqliteStore(file, { synchronous });
    return {
      store,
      reopen: async () => {
        await store.close();
        store = new SqliteStore(file, { synchronous });
        return store;
      },
      second: async () => new SqliteStore(file, { synchronous }),
      end: async () => {
        rmSync(folder, { recursive: true, force: true });
      },
    };
  });
}

describe('bounds', () => {
  it('memory: what targets answer counts, and what hooks an event has: beyond the bound texts are left out, not lost', async () => {
    const hooks = Array.from({ length: 5 }, (_, at) => `h${String(at)}`);
    const store = new MemoryStore({ bytes: 100_000 });
    onTestFinished(() => store.close());
    for (const hook of hooks) await store.saveHook(hookNamed(hook));
    await store.lease('x', 0, 500);
    const text = 'x'.repeat(1000);
    for (let id = 0; id < 30; id += 1) {
      const event = { id: String(id), source: 's', event: 'e', at: 1, payload: '{}', hooks };
      const [seq] = await store.commit([event], []).catch(() => [null]);
      if (seq === null || seq === undefined) break;
      for (let attempts = 1; attempts <= 10; attempts += 1) {
        const result = {
          seq,
          epoch: 1,
          state: 'waiting' as const,
          attempts,
          due: 9,
          finishedAt: 2,
          status: 500,
        };
        await store.commit(
          [],
          hooks.map((hookId) => ({ ...result, hookId, latencyMs: 1, error: text, response: text })),
        );
      }
    }
    const kept = (await Promise.all(hooks.map((hookId) => store.deliveries({ hookId, size: 100 })))).flat();
    expect(kept.length).toBeGreaterThan(50);
    const shown = await Promise.all(kept.map(({ hookId, eventId }) => store.delivery(hookId, eventId)));
    expect(JSON.stringify(shown).match(/x/g)?.length).toBeLessThan(100_000);
    expect(shown.every((one) => one?.attempts === 10 && one.error?.startsWith('xxx'))).toBe(true);
    // Once they have gone there is room as before.
    for (const hook of hooks) await store.deleteHook(hook);
    await store.saveHook(hookNamed('a'));
    const large = { source: 's', event: 'e', at: 1, payload: 'x'.repeat(99_000), hooks: ['a'] };
    expect(await store.commit([{ id: 'large', ...large }], [])).not.toEqual([null]);
  });

  for (const [name, open] of [
    ['memory', (firings: number) => new MemoryStore({ firings })],
    ['sqlite', (firings: number) => new SqliteStore(':memory:', { synchronous: 'normal', firings })],
  ] as const) {
    it(`${name}: a bounded number of identities is remembered, the least recently used go first`, async () => {
      const store = open(2);
      onTestFinished(() => store.close());
      await store.saveHook(hookNamed('a'));
      let id = 0;
      const fires = async (identity: string): Promise<boolean> => {
        const rules = [{ hook: 'a', identity, digest: 'same', snoozeMs: 0, now: 0 }];
        const event = {
          id: String(++id),
          source: 's',
          event: 'e',
          at: 1,
          payload: '{}',
          hooks: ['a'],
          rules,
        };
        return (await store.commit([event], []))[0] !== null;
      };
      const fired: boolean[] = [];
      for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) fired.push(await fires(key));
      expect(fired).toEqual([true, true, false, true, false, true]);
    });
  }

  it('sqlite: looking for what can go is quick while many deliveries wait', async () => {
    const store = new SqliteStore(':memory:', { synchronous: 'normal' });
    onTestFinished(() => store.close());
    await store.saveHook(hookNamed('a'));
    const events = Array.from({ length: 20_000 }, (_, n) => ({
      id: String(n),
      source: 's',
      event: 'e',
      at: 1,
      payload: '{}',
      hooks: ['a'],
    }));
    const before = process.cpuUsage();
    await store.commit(events, []);
    const written = process.cpuUsage(before);
    expect(await store.prune({ olderThan: 0, maxEvents: 10 })).toBe(0);
    const both = process.cpuUsage(before);
    // Looking takes a part of the time of writing; reading all deliveries for every event would take hundreds of it.
    expect((both.user + both.system) / (written.user + written.system)).toBeLessThan(11);
  });

  it('memory: finished deliveries make room for new ones; without any, events are refused', async () => {
    const store = new MemoryStore({ bytes: 10_000 });
    await store.saveHook(hookNamed('a'));
    await store.lease('x', 0, 500);
    const commit = (id: number) =>
      store.commit(
        [{ id: String(id), source: 's', event: 'e', at: 1, payload: 'x'.repeat(1000), hooks: ['a'] }],
        [],
      );
    const seqs: (number | null)[] = [];
    for (let id = 0; id < 5; id += 1) seqs.push(...(await commit(id)));
    await expect(
      (async () => {
        for (let id = 5; id < 20; id += 1) await commit(id);
      })(),
    ).rejects.toThrow(/memory/);
    await store.commit(
      [],
      seqs.map((seq) => ({
        hookId: 'a',
        seq: seq ?? 0,
        epoch: 1,
        state: 'delivered',
        attempts: 1,
        due: 0,
        finishedAt: 1,
        status: 200,
        latencyMs: 1,
        error: null,
        response: null,
      })),
    );
    for (let id = 20; id < 25; id += 1) expect(await commit(id)).toEqual([anyNumber]);
  });
});

describe('a file that cannot be used', () => {
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'kong-ts-store-'));
    onTestFinished(() => {
      rmSync(made, { recursive: true, force: true });
    });
    return made;
  };

  it('is named with what can be done, left as it is, and the dispatcher goes on in memory', async () => {
    const dataDir = folder();
    const file = join(dataDir, 'event-hooks.db');
    writeFileSync(file, 'this is not a database, it is a letter to the operator'.repeat(100));
    expect(() => new SqliteStore(file, { synchronous: 'normal' })).toThrow(
      /event-hooks\.db failed: file is not a database\. The file is not a database: move it away/,
    );
    const errors: unknown[] = [];
    const log = {
      info: () => {},
      notice: () => {},
      warn: () => {},
      error: (_: string, fields?: object) => errors.push(fields),
    };
    const store = await openStore(`sqlite:${dataDir}`, { synchronous: 'normal', log });
    expect(store.kind).toBe('memory');
    expect(errors).toEqual([having({ file })]);
  });

  it('full: the error says so, nothing is half stored, and it works again when there is room', async () => {
    const file = join(folder(), 'event-hooks.db');
    const store = new SqliteStore(file, { synchronous: 'normal' });
    onTestFinished(() => store.close());
    await store.saveHook(hookNamed('a'));
    store.limitPages(30);
    const big = (id: string) => ({
      id,
      source: 's',
      event: 'e',
      at: 1,
      payload: JSON.stringify({ x: 'x'.repeat(200_000) }),
      hooks: ['a'],
    });
    await expect(store.commit([{ ...big('1'), payload: '{}' }, big('2')], [])).rejects.toThrow(
      /full.*The disk is full: make room/,
    );
    expect(await store.pending('a', 0, 10)).toEqual([]);
    store.limitPages(1_000_000);
    expect(await store.commit([big('2')], [])).toEqual([anyNumber]);
  });
});

describe('the name of a store', () => {
  const options = { synchronous: 'normal' as const, log: silentLog };

  it('says which one is opened, and where files may be kept beside it', async () => {
    const place = mkdtempSync(join(tmpdir(), 'kong-ts-store-'));
    onTestFinished(() => {
      rmSync(place, { recursive: true, force: true });
    });
    for (const [name, kind, folder] of [
      ['memory:', 'memory', null],
      [`sqlite:${place}`, 'sqlite', place],
      [storeOf(null), 'memory', null],
      [storeOf(place), 'sqlite', place],
    ] as const) {
      const store = await openStore(name, options);
      expect([store.kind, store.durable, store.folder]).toEqual([kind, kind === 'sqlite', folder]);
      await store.close();
    }
  });

  it.each([
    ['postgres://user:word@host/', /names no database/],
    ['mongodb://user:word@host/', /^"mongodb:" names no store/],
    ['toString:', /names no store/],
    ['./data', /^"\.\/data" names no store/],
    ['', /names no store/],
    ['memory:here', /at no place/],
    ['sqlite:', /needs a folder/],
  ])('%j is refused', async (name, message) => {
    await expect(openStore(name, options)).rejects.toThrow(message);
  });
});
