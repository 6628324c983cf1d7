import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { late, within } from '../../../src/base/within.ts';

const never = new Promise<number>(() => {});

describe('within', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('gives what comes in time and leaves no timer behind', async () => {
    await expect(within(1000, Promise.resolve(7))).resolves.toBe(7);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('throws what is rejected in time and leaves no timer behind', async () => {
    await expect(within(1000, Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('answers late after the time, and not sooner', async () => {
    let answer: unknown = 'none yet';
    const asked = within(1000, never).then((value) => (answer = value));
    await vi.advanceTimersByTimeAsync(999);
    expect(answer).toBe('none yet');
    await vi.advanceTimersByTimeAsync(1);
    await asked;
    expect(answer).toBe(late);
  });

  it('lets a rejection that comes later be nobody’s', async () => {
    let fail: (error: Error) => void = () => {};
    const work = new Promise<number>((_, reject) => (fail = reject));
    const asked = within(10, work);
    await vi.advanceTimersByTimeAsync(10);
    expect(await asked).toBe(late);
    fail(new Error('too late'));
    await vi.advanceTimersByTimeAsync(0);
  });
});
