import { describe, expect, it } from 'vitest';
import type { QueueSettings } from '../../../plugins/http-log-enterprise/config/settings.ts';
import { retryDelay } from '../../../plugins/http-log-enterprise/queue/backoff.ts';
import type { Delivery, Entry } from '../../../plugins/http-log-enterprise/queue/queue.ts';
import { Queue } from '../../../plugins/http-log-enterprise/queue/queue.ts';
import { isWorthRetrying, retryAfterOf } from '../../../plugins/http-log-enterprise/sender/answer.ts';
import { ManualClock, settle } from './support/manual-clock.ts';

const kongs: QueueSettings = {
  maxBatchSize: 1,
  maxCoalescingDelayMs: 1_000,
  maxEntries: 10_000,
  maxBytes: Infinity,
  maxRetryTimeMs: 60_000,
  initialRetryDelayMs: 10,
  maxRetryDelayMs: 60_000,
  concurrency: 1,
};

const ok: Delivery = { ok: true };
const down: Delivery = { ok: false, retry: true, retryAfterMs: null, reason: 'down' };
const refused: Delivery = { ok: false, retry: false, retryAfterMs: null, reason: 'status 400' };

function build(settings: Partial<QueueSettings>, answer: (attempt: number) => Delivery | Promise<Delivery>) {
  const clock = new ManualClock();
  const attempts: { at: number; batch: string[] }[] = [];
  const delivered: string[] = [];
  const dropped: string[] = [];
  const texts = (batch: readonly Entry[]) => batch.map(({ bytes }) => bytes.toString());
  const queue = new Queue({ ...kongs, ...settings }, clock, {
    deliver: (batch, settle) => {
      attempts.push({ at: clock.now(), batch: texts(batch) });
      void Promise.resolve(answer(attempts.length)).then(settle);
    },
    delivered: (batch) => delivered.push(...texts(batch)),
    dropped: (entries, reason) => dropped.push(...texts(entries).map((text) => `${text} ${reason}`)),
    retrying: () => undefined,
  });
  const push = (...names: string[]) =>
    names.forEach((name) => queue.push({ bytes: Buffer.from(name), token: null }));
  return { clock, queue, attempts, delivered, dropped, push };
}

describe('batches', () => {
  it('of one leave at once', async () => {
    const { push, clock, attempts } = build({}, () => ok);
    push('a', 'b');
    await clock.advance(0);
    expect(attempts).toEqual([
      { at: 0, batch: ['a'] },
      { at: 0, batch: ['b'] },
    ]);
  });

  it('leave when full, or max_coalescing_delay after their first record', async () => {
    const { push, clock, attempts } = build({ maxBatchSize: 3 }, () => ok);
    push('a', 'b', 'c', 'd');
    await clock.advance(400);
    push('e');
    await clock.advance(2_000);
    expect(attempts).toEqual([
      { at: 0, batch: ['a', 'b', 'c'] },
      { at: 1_000, batch: ['d', 'e'] },
    ]);
  });

  it('do not wait when the queue is flushed', async () => {
    const { push, queue, delivered } = build({ maxBatchSize: 3 }, () => ok);
    push('a');
    await queue.flush(1_000);
    expect(delivered).toEqual(['a']);
  });
});

describe('retries', () => {
  it('double their delay until the cap, and give up after max_retry_time', async () => {
    const { push, clock, attempts, dropped } = build(
      { maxRetryTimeMs: 100, maxRetryDelayMs: 40 },
      () => down,
    );
    push('a');
    await clock.advance(1_000);
    expect(attempts.map(({ at }) => at)).toEqual([0, 10, 30, 70, 110]);
    expect(dropped).toEqual(['a retry_time']);
  });

  it('are not made with max_retry_time -1', async () => {
    const { push, clock, attempts, dropped } = build({ maxRetryTimeMs: -1_000 }, () => down);
    push('a');
    await clock.advance(1_000);
    expect(attempts).toHaveLength(1);
    expect(dropped).toEqual(['a retry_time']);
  });

  it('are not made when they cannot succeed', async () => {
    const { push, clock, attempts, dropped } = build({}, () => refused);
    push('a');
    await clock.advance(1_000);
    expect(attempts).toHaveLength(1);
    expect(dropped).toEqual(['a refused']);
  });

  it('wait as long as Retry-After says', async () => {
    const { push, clock, attempts } = build({}, (n) => (n === 1 ? { ...down, retryAfterMs: 2_000 } : ok));
    push('a');
    await clock.advance(5_000);
    expect(attempts.map(({ at }) => at)).toEqual([0, 2_000]);
    expect(retryDelay(kongs, 0, 999_999_999)).toBe(3_600_000);
  });

  it('keep other batches back: one batch tries while the destination is down', async () => {
    const { push, clock, attempts, delivered } = build({ concurrency: 4 }, (n) => (n <= 3 ? down : ok));
    push('a');
    await clock.advance(0);
    push('b', 'c');
    await clock.advance(1_000);
    expect(attempts.slice(0, 3).map(({ batch }) => batch)).toEqual([['a'], ['a'], ['a']]);
    expect(delivered).toEqual(['a', 'b', 'c']);
  });
});

describe('bounds', () => {
  it('drop the oldest records', async () => {
    const { push, clock, dropped, delivered } = build({ maxEntries: 2, maxBatchSize: 10 }, () => ok);
    push('a', 'b', 'c');
    await clock.advance(2_000);
    expect(dropped).toEqual(['a queue_full']);
    expect(delivered).toEqual(['b', 'c']);
  });

  it('count bytes, and refuse a record that can never fit', async () => {
    const { push, dropped, queue } = build({ maxBytes: 5, maxBatchSize: 10 }, () => ok);
    push('aaa', 'bbb', '0123456789');
    await settle();
    expect(dropped).toEqual(['aaa queue_full', '0123456789 too_large']);
    expect(queue.bytes).toBe(3);
  });
});

describe('a batch that keeps failing', () => {
  it('lets the others go first after max_retry_time, when nothing may be dropped', async () => {
    const settings = { keepUndelivered: true, maxRetryTimeMs: 1_000, maxRetryDelayMs: 200 };
    const built = build(settings, (n) => (built.attempts[n - 1]?.batch[0] === 'bad' ? down : ok));
    built.push('bad', 'a', 'b');
    await built.clock.advance(3_000);
    expect(built.delivered).toEqual(['a', 'b']);
    expect(built.dropped).toEqual([]);
    expect(built.queue.length + built.queue.sending).toBe(1);
  });

  it('does not make every batch of a dead destination start with short waits again', async () => {
    const built = build({ keepUndelivered: true, maxRetryTimeMs: -1, maxRetryDelayMs: 1_000 }, () => down);
    built.push('a', 'b', 'c');
    await built.clock.advance(10_000);
    expect(built.attempts.length).toBeLessThan(20);
    expect(new Set(built.attempts.map(({ batch }) => batch[0]))).toEqual(new Set(['a', 'b', 'c']));
  });
});

it('warns once at four fifths of max_entries, as Kong does', async () => {
  const clock = new ManualClock();
  let warnings = 0;
  const queue = new Queue({ ...kongs, maxEntries: 10, maxBatchSize: 100 }, clock, {
    deliver: (_batch, settle) => settle(ok),
    delivered: () => undefined,
    dropped: () => undefined,
    retrying: () => undefined,
    filling: () => (warnings += 1),
  });
  const fill = (count: number) => {
    for (let n = 0; n < count; n++) queue.push({ bytes: Buffer.from('x'), token: null });
  };
  fill(8);
  expect(warnings).toBe(0);
  fill(6);
  expect(warnings).toBe(1);
  await clock.advance(2_000);
  fill(9);
  expect(warnings).toBe(2);
});

describe('stopping', () => {
  it('returns what was not delivered, that under way included', async () => {
    const { push, clock, queue } = build({}, () => down);
    push('a', 'b');
    await clock.advance(5);
    const left = await queue.stop(() => undefined);
    expect(left.map(({ bytes }) => bytes.toString())).toEqual(['a', 'b']);
  });
});

it('knows which answers are worth another attempt', () => {
  expect([400, 401, 404, 408, 413, 422, 425, 429, 500, 503, 301].filter(isWorthRetrying)).toEqual([
    408, 425, 429, 500, 503,
  ]);
});

it('reads Retry-After as seconds or date', () => {
  expect(retryAfterOf('7', 0)).toBe(7_000);
  expect(retryAfterOf('Thu, 01 Jan 1970 00:01:00 GMT', 10_000)).toBe(50_000);
  expect(retryAfterOf('Thu Jan  1 00:01:00 1970', 0)).toBe(60_000);
  for (const odd of ['soon', '-5', '5.5', '']) expect(retryAfterOf(odd, 0)).toBeNull();
});
