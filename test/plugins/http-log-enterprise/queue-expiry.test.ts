import { expect, it } from 'vitest';
import type { Delivery } from '../../../plugins/http-log-enterprise/queue/queue.ts';
import { Queue } from '../../../plugins/http-log-enterprise/queue/queue.ts';
import { ManualClock, settle } from './support/manual-clock.ts';

/** A queue whose destination is down, and whose records are too old once they are listed. */
function start(): {
  queue: Queue<null>;
  clock: ManualClock;
  old: Set<string>;
  dropped: string[];
  tried: string[][];
} {
  const clock = new ManualClock();
  const old = new Set<string>();
  const dropped: string[] = [];
  const tried: string[][] = [];
  const down: Delivery = { ok: false, retry: true, retryAfterMs: null, reason: 'down' };
  const settings = {
    maxBatchSize: 2,
    maxCoalescingDelayMs: 0,
    maxEntries: 100,
    maxBytes: Infinity,
    maxRetryTimeMs: 60_000,
    keepUndelivered: true,
    initialRetryDelayMs: 100,
    maxRetryDelayMs: 100,
    concurrency: 1,
  };
  const queue = new Queue<null>(settings, clock, {
    deliver: (batch, settle) => {
      tried.push(batch.map(({ bytes }) => bytes.toString()));
      settle(down);
    },
    delivered: () => undefined,
    dropped: (entries, reason) => {
      dropped.push(...entries.map(({ bytes }) => `${reason} ${bytes.toString()}`));
    },
    retrying: () => undefined,
    expired: ({ bytes }) => old.has(bytes.toString()),
  });
  return { queue, clock, old, dropped, tried };
}

it('records under way are dropped after an attempt that failed, when they are too old; the others go on', async () => {
  const { queue, clock, old, dropped, tried } = start();
  for (const text of ['a', 'b', 'c']) queue.push({ bytes: Buffer.from(text), token: null });
  await settle();
  old.add('a');
  await clock.advance(250);
  expect(dropped).toEqual(['expired a']);
  const [first] = tried;
  expect(first).toContain('a');
  expect(tried.at(-1)).not.toContain('a');
  await queue.stop(() => undefined);
});

it('waiting records are dropped when the queue is asked to, and no longer counted', async () => {
  const { queue, old, dropped } = start();
  for (const text of ['a', 'b', 'c', 'd', 'e']) queue.push({ bytes: Buffer.from(text), token: null });
  await settle();
  old.add('d');
  const before = { length: queue.length, bytes: queue.bytes };
  queue.expire();
  expect(dropped).toEqual(['expired d']);
  expect([queue.length, queue.bytes]).toEqual([before.length - 1, before.bytes - 1]);
  await queue.stop(() => undefined);
});
