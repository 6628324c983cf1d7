import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isLatencyBucket, latencyBucket, percentile } from '../../../src/event-hooks/store/latency.ts';

const counted = (latencies: readonly number[]): Map<number, number> => {
  const counts = new Map<number, number>();
  for (const ms of latencies) counts.set(latencyBucket(ms), (counts.get(latencyBucket(ms)) ?? 0) + 1);
  return counts;
};

it('a percentile of counted latencies is off by less than a tenth', () => {
  const latency = fc.double({ min: 0.26, max: 60_000, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(latency, { minLength: 1, maxLength: 50 }),
      fc.constantFrom(0.5, 0.95, 0.99),
      (all, part) => {
        const sorted = [...all].sort((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(all.length * part) - 1)] ?? 0;
        const found = percentile(counted(all), part) ?? 0;
        expect(Math.abs(found - exact) / exact).toBeLessThan(0.1 + 0.01 / exact);
      },
    ),
  );
});

it('every latency has a number that is known as one, and nothing counted has no percentile', () => {
  for (const ms of [0, -1, 0.001, 1, 1e9, Infinity]) expect(isLatencyBucket(latencyBucket(ms))).toBe(true);
  expect(percentile(new Map(), 0.5)).toBeNull();
});
