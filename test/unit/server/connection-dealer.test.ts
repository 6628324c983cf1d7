import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { ConnectionTaker } from '../../../src/server/supervisor/connection-dealer.ts';
import { ConnectionDealer } from '../../../src/server/supervisor/connection-dealer.ts';
import type { Connection } from '../../../src/unix/claim.ts';

class FakeWorker implements ConnectionTaker {
  readonly slot: number;
  connections = 0;
  silent = false;
  readonly given: number[] = [];
  fail = false;

  constructor(slot: number) {
    this.slot = slot;
  }

  give(ticket: number, _socket: Connection, _index: number, failed: () => void): void {
    if (this.fail) {
      failed();
      return;
    }
    this.connections++;
    this.given.push(ticket);
  }
}

const connection = () => new PassThrough() as unknown as Connection;

function setup(pinned: (index: number) => number | null = () => null) {
  const router = new ConnectionDealer<FakeWorker>(pinned);
  return { router, a: new FakeWorker(0), b: new FakeWorker(1) };
}

describe('ConnectionRouter', () => {
  it('gives a connection that a worker has let go of to another', () => {
    const { router, a, b } = setup();
    router.attach(a);
    router.accept(connection(), 0);
    router.taken(1);
    router.attach(b);
    router.detach(a);
    router.released(1);
    expect(b.given).toEqual([1]);
    router.taken(1);
    // The first worker has nothing left to lose.
    expect([router.lost(a), router.lost(b)]).toEqual([0, 1]);
    router.released(1);
    expect(router.waiting).toBe(0);
  });

  it('goes on with the connections of a dead worker where they belong on one worker, but for those with an event', () => {
    const { router, a, b } = setup(() => 0);
    router.attach(a);
    const sockets = [connection(), connection()];
    for (const socket of sockets) router.accept(socket, 0);
    for (const ticket of [1, 2]) router.taken(ticket);
    router.attach(b);
    const orphans: unknown[] = [];
    expect(router.lost(a, new Map([[1, Buffer.from('x')]]), (socket) => orphans.push(socket))).toBe(1);
    expect([b.given, orphans]).toEqual([[2], []]);
    expect(sockets.map(({ writableEnded }) => writableEnded)).toEqual([true, false]);
  });

  it('passes over a worker that is silent, unless there is no other', () => {
    const { router, a, b } = setup();
    b.connections = 5;
    a.silent = true;
    router.attach(a);
    router.attach(b);
    router.accept(connection(), 0);
    expect(b.given).toEqual([1]);
    b.silent = true;
    router.accept(connection(), 0);
    expect(a.given).toEqual([2]);
  });

  it('keeps connections until there is a worker', () => {
    const { router, a } = setup();
    router.accept(connection(), 0);
    expect(router.waiting).toBe(1);
    router.attach(a);
    expect(a.given).toEqual([1]);
    router.taken(1);
    expect(router.waiting).toBe(0);
  });

  it('gives to the worker with the fewest connections', () => {
    const { router, a, b } = setup();
    router.attach(a);
    router.attach(b);
    for (let count = 0; count < 6; count++) router.accept(connection(), 0);
    expect([a.connections, b.connections]).toEqual([3, 3]);
  });

  it('keeps a pinned socket on one worker', () => {
    const { router, a, b } = setup(() => 0);
    router.attach(b);
    router.attach(a);
    for (let count = 0; count < 4; count++) router.accept(connection(), 0);
    expect([a.connections, b.connections]).toEqual([4, 0]);
    router.lost(a);
    expect(b.given).toEqual([1, 2, 3, 4]);
  });

  it('gives each pinned socket a worker of its own, and its connections to the next one when that is gone', () => {
    const { router, a, b } = setup((index) => index % 2);
    router.attach(a);
    router.attach(b);
    for (const index of [0, 1, 2, 1, 0]) router.accept(connection(), index);
    expect([a.given, b.given]).toEqual([
      [1, 3, 5],
      [2, 4],
    ]);
    router.lost(b);
    router.accept(connection(), 1);
    expect(a.given).toEqual([1, 3, 5, 2, 4, 6]);
  });

  it('gives what a worker never took to another when it dies', () => {
    const { router, a, b } = setup();
    router.attach(a);
    router.accept(connection(), 0);
    router.accept(connection(), 0);
    router.taken(1);
    router.lost(a);
    router.attach(b);
    expect(b.given).toEqual([2]);
  });

  it('tries another worker when the channel to the first is broken', () => {
    const { router, a, b } = setup();
    a.fail = true;
    router.attach(a);
    router.attach(b);
    b.connections = 1;
    router.accept(connection(), 0);
    expect(b.given).toEqual([1]);
  });
});
