import { describe, expect, it } from 'vitest';
import { InstanceRecords } from '../../../../src/server/remembered/records.ts';

const record = (id: number, bytes = 10) => ({ id, name: 'p', config: Buffer.alloc(bytes), startedAt: 0 });

describe('InstanceRecords', () => {
  it('refuses an id that is taken', () => {
    const records = new InstanceRecords();
    expect(records.add(record(1))).toBe(true);
    expect(records.add(record(1))).toBe(false);
    expect(records.remove(1)).toBe(true);
    expect(records.remove(1)).toBe(false);
    expect(records.find(1)).toBeNull();
  });

  it('forgets the least recently used beyond the number', () => {
    const records = new InstanceRecords({ count: 2 });
    records.add(record(1));
    records.add(record(2));
    records.find(1);
    const forgotten: number[] = [];
    records.add(record(3), (id) => forgotten.push(id));
    expect(forgotten).toEqual([2]);
    expect([1, 2, 3].map((id) => records.find(id)?.id ?? null)).toEqual([1, null, 3]);
  });

  it('forgets the least recently used beyond the bytes, never the newest', () => {
    const records = new InstanceRecords({ bytes: 25 });
    records.add(record(1));
    records.add(record(2));
    records.add(record(3));
    expect(records.size).toBe(2);
    records.add(record(4, 1000));
    expect(records.size).toBe(1);
    expect(records.find(4)?.id).toBe(4);
    records.remove(4);
    records.add(record(5));
    records.add(record(6));
    expect(records.size).toBe(2);
  });
});
