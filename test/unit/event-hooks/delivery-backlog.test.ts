import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeliveryBacklog } from '../../../src/event-hooks/delivery/backlog.ts';

describe('the backlog of deliveries', () => {
  it('counts by hook and over all of them, whatever happens, and never below nothing', () => {
    const hook = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      fc.record({ do: fc.constantFrom('began', 'ended'), hook }),
      fc.record({ do: fc.constant('set' as const), hook, count: fc.integer({ min: -3, max: 20 }) }),
      fc.record({ do: fc.constant('keep' as const), hooks: fc.subarray(['a', 'b', 'c']) }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const backlog = new DeliveryBacklog();
        const model = new Map<string, number>();
        for (const one of steps) {
          if ('hooks' in one) {
            backlog.keepHooks(one.hooks);
            for (const id of [...model.keys()]) if (!one.hooks.includes(id)) model.delete(id);
            for (const id of one.hooks) model.set(id, model.get(id) ?? 0);
            continue;
          }
          const before = model.get(one.hook);
          const count = 'count' in one ? one.count : (before ?? 0) + (one.do === 'began' ? 1 : -1);
          if ('count' in one) backlog.set(one.hook, count);
          else if (one.do === 'began') backlog.began(one.hook);
          else backlog.ended(one.hook);
          if (before !== undefined) model.set(one.hook, Math.max(0, count));
        }
        for (const id of ['a', 'b', 'c']) expect(backlog.of(id)).toBe(model.get(id) ?? 0);
        expect(backlog.total).toBe([...model.values()].reduce((sum, count) => sum + count, 0));
      }),
    );
  });
});
