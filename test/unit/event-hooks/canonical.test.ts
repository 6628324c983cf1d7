import { describe, expect, it } from 'vitest';
import { canonical } from '../../../src/event-hooks/model/payload.ts';

describe('what on_change compares', () => {
  const entity = { id: 'c', username: 'a', created_at: 1, updated_at: 2, tags: ['x', 'y'] };

  it.each([
    [
      'a field that is null and one that is not there',
      { consumer: entity, route: null },
      { consumer: entity },
    ],
    ['stamps of an entity', { consumer: entity }, { consumer: { ...entity, created_at: 9, updated_at: 9 } }],
    [
      'stamps of an entity in an entity, and in a list',
      { service: { id: 's', client_certificate: entity }, all: [[entity]] },
      {
        service: { id: 's', client_certificate: { ...entity, created_at: 9 } },
        all: [[{ ...entity, updated_at: 9 }]],
      },
    ],
    ['the order of fields', { a: 1, b: { c: 1, d: 2 } }, { b: { d: 2, c: 1 }, a: 1 }],
  ])('is the same for %s', (_, one, other) => {
    expect(canonical(one)).toBe(canonical(other));
  });

  it.each([
    ['the order of a list', { consumer: entity }, { consumer: { ...entity, tags: ['y', 'x'] } }],
    ['stamps of what is not an entity', { order: { created_at: 1 } }, { order: { created_at: 2 } }],
    ["stamps that are the event's own", { id: 'e', created_at: 1 }, { id: 'e', created_at: 2 }],
    ['a null in a list', { a: [null] }, { a: [] }],
    ['a number', { a: 1 }, { a: 2 }],
    ['false and no value', { a: false }, {}],
  ])('differs for %s', (_, one, other) => {
    expect(canonical(one)).not.toBe(canonical(other));
  });
});
