import { expect, test } from 'vitest';
import { Heir } from '../../../../src/server/keeper/heir.ts';

class Worker {
  state = 'ready';
  silent = false;
  readonly told: string[] = [];
  inherit({ index }: { index: number }): void {
    this.told.push(`inherit ${String(index)}`);
  }
  disinherit(): void {
    this.told.push('disinherit');
  }
  accept(): void {
    this.told.push('accept');
  }
}

const copy = (index: number) => ({
  socket: { index, path: `/s${String(index)}`, file: { dev: 1, ino: 1, mtimeMs: 1 }, backlog: 1 },
  handle: null,
});

function two(): { a: Worker; b: Worker; heir: Heir<Worker>; copies: ReturnType<typeof copy>[] } {
  const [a, b] = [new Worker(), new Worker()];
  const copies = [copy(0), copy(1)];
  return {
    a,
    b,
    copies,
    heir: new Heir(
      () => [a, b],
      () => copies,
    ),
  };
}

test('the first worker that serves has the copies, and another one when it stands still or is replaced', () => {
  const { a, b, heir } = two();
  a.state = 'starting';
  heir.appoint();
  expect(b.told).toEqual(['inherit 0', 'inherit 1']);
  a.state = 'ready';
  heir.appoint();
  expect(a.told).toEqual([]);
  b.silent = true;
  heir.appoint();
  expect([a.told, b.told.at(-1)]).toEqual([['inherit 0', 'inherit 1'], 'disinherit']);
  // Nobody else is better: it stays.
  a.silent = true;
  heir.appoint();
  expect(a.told).toHaveLength(2);
});

test('new sockets are given to whoever has the copies', () => {
  const { a, copies, heir } = two();
  heir.appoint();
  copies.splice(0, 1);
  heir.renew();
  expect(a.told).toEqual(['inherit 0', 'inherit 1', 'inherit 1']);
});

test('one that accepts is not replaced, and its end is told', () => {
  const { a, b, heir } = two();
  expect(heir.accept()).toBe(false);
  heir.appoint();
  expect(heir.accept()).toBe(true);
  a.silent = true;
  heir.appoint();
  expect(b.told).toEqual([]);
  expect(heir.lost(b)).toBe(false);
  expect(heir.lost(a)).toBe(true);
  heir.appoint();
  expect(b.told).toEqual(['inherit 0', 'inherit 1']);
  expect(heir.lost(b)).toBe(false);
});
