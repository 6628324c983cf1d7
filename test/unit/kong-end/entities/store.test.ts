import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Dao,
  EntityError,
  createEntityStore,
  defaultWorkspaceId as workspace,
  page,
} from '../../../../src/kong-end/entities/index.ts';
import { loadDeclarativeText } from '../../../../src/kong-end/declarative/index.ts';

describe('the store against a plain model', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const step = fc.record({
    action: fc.constantFrom('insert', 'rename', 'delete', 'page'),
    name: names,
    other: names,
    size: fc.integer({ min: 1, max: 4 }),
  });

  test('names stay unique, pages show everything once and in order, snapshots never change', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const store = createEntityStore();
        const dao = new Dao(store);
        const model = new Map<string, string>();
        for (const { action, name, other, size } of steps) {
          const before = store.snapshot();
          const frozen = JSON.stringify(before.consumers);
          const current = dao.find('consumers', name, workspace);
          expect(current?.id).toBe(model.get(name));
          if (action === 'insert') {
            if (model.has(name))
              expect(() => dao.insert('consumers', { username: name }, workspace)).toThrow(EntityError);
            else model.set(name, dao.insert('consumers', { username: name }, workspace).id);
          } else if (action === 'rename' && current !== undefined) {
            const change = (): unknown => dao.update('consumers', current, { username: other }, workspace);
            if (name !== other && model.has(other)) expect(change).toThrow(/UNIQUE violation/);
            else {
              change();
              model.delete(name);
              model.set(other, current.id);
            }
          } else if (action === 'delete' && current !== undefined) {
            dao.delete('consumers', current);
            model.delete(name);
          } else {
            const ids: string[] = [];
            let offset: string | undefined;
            do {
              const part = page(store, 'consumers', { workspace, size, offset });
              ids.push(...part.data.map(({ id }) => id));
              offset = part.offset;
            } while (offset !== undefined);
            expect(ids).toEqual([...model.values()].sort());
          }
          expect(JSON.stringify(before.consumers)).toBe(frozen);
        }
        expect(new Set(store.snapshot().consumers.map(({ id }) => id))).toEqual(new Set(model.values()));
      }),
      { numRuns: 60 },
    );
  });
});

test('another store is put in place of this one at once, and listeners hear of it once', () => {
  const store = loadDeclarativeText('_format_version: "3.0"\nconsumers: [{ username: a }]');
  const next = loadDeclarativeText('_format_version: "3.0"\nconsumers: [{ username: b }, { username: c }]');
  const heard: string[][] = [];
  store.onChange(({ consumers }) => heard.push(consumers.map(({ username }) => username ?? '')));
  const { version } = store.snapshot();
  store.replaceWith(next);
  expect(heard).toEqual([['b', 'c']]);
  expect(store.snapshot().hash).toBe(next.snapshot().hash);
  expect(store.snapshot().version).toBe(version + 1);
  const dao = new Dao(store);
  expect(dao.find('consumers', 'a', workspace)).toBeUndefined();
  dao.insert('consumers', { username: 'd' }, workspace);
  expect(heard).toHaveLength(2);
  expect(store.snapshot().hash).not.toBe(next.snapshot().hash);
  expect(next.snapshot().consumers).toHaveLength(2);
});

test('a listener that throws disturbs neither the change nor the others', async () => {
  const store = createEntityStore();
  const warnings: Error[] = [];
  const warned = new Promise<void>((resolve) => {
    process.once('warning', (warning) => {
      warnings.push(warning);
      resolve();
    });
  });
  let heard = 0;
  store.onChange(() => {
    throw new Error('listener failed');
  });
  store.onChange(() => heard++);
  new Dao(store).insert('consumers', { username: 'a' }, workspace);
  await warned;
  expect([heard, warnings[0]?.message]).toEqual([1, 'listener failed']);
});

test('several changes in one are heard of once', () => {
  const store = createEntityStore();
  const dao = new Dao(store);
  const heard: number[] = [];
  store.onChange(({ consumers }) => heard.push(consumers.length));
  store.change(() => {
    dao.insert('consumers', { username: 'a' }, workspace);
    dao.insert('consumers', { username: 'b' }, workspace);
  });
  store.change(() => undefined);
  expect(heard).toEqual([2]);
});
