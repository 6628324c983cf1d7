import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { anyNumber, having } from '../../event-hooks/support/expected.ts';
import { openStore } from '../../../src/event-hooks/store/index.ts';
import { MemoryStore } from '../../../src/event-hooks/store/memory.ts';
import { SqliteStore } from '../../../src/event-hooks/store/sqlite/index.ts';
import { storeConformance } from './store-suite.ts';

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
    const store = await openStore({ dataDir, synchronous: 'normal', log });
    expect(store.kind).toBe('memory');
    expect(errors).toEqual([having({ file })]);
  });

  it('full: the error says so, nothing is half stored, and it works again when there is room', async () => {
    const file = join(folder(), 'event-hooks.db');
    const store = new SqliteStore(file, { synchronous: 'normal' });
    onTestFinished(() => store.close());
    await store.saveHook({
      id: 'a',
      created_at: 1,
      updated_at: 1,
      source: 's',
      event: null,
      on_change: null,
      snooze: null,
      handler: 'log',
      config: {},
    });
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
