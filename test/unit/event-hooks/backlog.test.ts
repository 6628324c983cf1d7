import { describe, expect, it } from 'vitest';
import { EventHooks } from '../../../src/event-hooks/client/hub.ts';
import { Backlog } from '../../../src/event-hooks/dispatcher/backlog.ts';
import type { EventDeclaration } from '../../../src/event-hooks/model/event.ts';

describe('what waits for readers', () => {
  it('is bounded for each of them, and for all together', () => {
    const backlog = new Backlog(10, 25);
    const readers = [backlog.reader(), backlog.reader(), backlog.reader()];
    expect(readers.map((reader) => [reader.take(9), reader.take(9)])).toEqual([
      [true, false],
      [true, false],
      [true, false],
    ]);
    expect(backlog.waiting).toBe(27);
    readers[0]?.left(9);
    expect(backlog.waiting).toBe(18);
    expect(readers[0]?.take(7)).toBe(true);
    readers[1]?.leave();
    readers[1]?.left(9);
    readers[1]?.leave();
    expect(backlog.waiting).toBe(16);
    for (const reader of readers) reader.leave();
    expect(backlog.waiting).toBe(0);
    expect(readers[1]?.take(1)).toBe(false);
  });

  it('has room for one piece, however large, of a reader for whom nothing waits', () => {
    const reader = new Backlog(10, 25).reader();
    expect([reader.take(100), reader.take(1)]).toEqual([true, false]);
  });
});

describe('declarations in a process of plugins', () => {
  it('are bounded, whatever names plugins make of what clients send', () => {
    const hub = new EventHooks();
    for (let n = 0; n < 20_000; n += 1) hub.publish('s', `e${String(n)}`, { fields: ['a'] });
    expect(hub.lastProblem).toMatch(/more than 10000 events/);
    const sent: EventDeclaration[] = [];
    const transport = { publish: (one: EventDeclaration) => sent.push(one) };
    hub.attachTransport(transport as never);
    expect(sent).toHaveLength(10_000);
  });

  it('that are none throw nothing', () => {
    const hub = new EventHooks();
    expect(() => hub.publish('s', 'e', {} as never)).not.toThrow();
    expect(hub.lastProblem).toContain('s: ');
    expect(hub.declares).toBe(true);
  });
});
