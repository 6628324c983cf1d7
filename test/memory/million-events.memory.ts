import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Reading } from './support/measured-server.ts';
import { MeasuredServer } from './support/measured-server.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Events in all; half of them over each protocol. Fewer only to try the test itself. */
const events = Number(process.env['KONG_TS_MEMORY_EVENTS'] ?? 1_000_000);
/** Readings are taken this often; the first one is what the last ones are held against. */
const rounds = 10;
/** PDK calls that answer, per event; one more, a setter, follows them. */
const calls = 2;

/**
 * Live bytes, per event, that count as growth. Nothing is kept per event, but code that has just been optimized and
 * statistics of the engine make a few bytes in a million events.
 */
const leak = 4;
/** The target: resident memory within 10 % of what it was after the first tenth. */
const growth = 1.1;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

describe('memory of the whole server, supervisor and worker', () => {
  it(`does not grow over ${String(events)} events`, { timeout: 1_800_000 }, async () => {
    const server = await MeasuredServer.start([
      path('../../bench/plugins/ours/bench-protobuf.ts'),
      path('../../bench/plugins/ours/bench-msgpack.ts'),
    ]);
    const readings: Reading[] = [];
    try {
      for (let round = 0; round < rounds; round++) {
        for (const protocol of ['protobuf', 'msgpack'] as const) {
          await server.serve(protocol, `bench-${protocol}`, events / rounds / 2, calls);
        }
        readings.push(await server.read());
      }
    } finally {
      await server.close();
    }
    const [early, ...later] = readings;
    if (early === undefined) expect.fail('nothing was read');
    const late = later.slice(-3);
    const live = median(late.map((reading) => reading.live));
    const resident = median(late.map((reading) => reading.resident));
    const told = readings.map((each) => `${megabytes(each.live)}/${megabytes(each.resident)}`).join(' ');
    process.stdout.write(`live/resident MB after each tenth: ${told}\n`);
    expect((live - early.live) / (events * 0.9), 'live bytes per event').toBeLessThan(leak);
    expect(resident, 'resident bytes').toBeLessThan(early.resident * growth);
  });

  it('is seen to grow when a plugin keeps 200 bytes per event', { timeout: 600_000 }, async () => {
    const server = await MeasuredServer.start([path('./plugins/keeping.ts')]);
    try {
      const some = 20_000;
      await server.serve('protobuf', 'keeping', some, 0);
      const before = await server.read();
      await server.serve('protobuf', 'keeping', some, 0);
      const perEvent = ((await server.read()).live - before.live) / some;
      process.stdout.write(`live bytes per event: ${perEvent.toFixed(1)}\n`);
      expect(perEvent).toBeGreaterThan(leak * 10);
    } finally {
      await server.close();
    }
  });
});
