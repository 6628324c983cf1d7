import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KongTsError } from '../../../../src/base/errors.ts';
import { silentLog } from '../../../../src/event-hooks/log.ts';
import { Poller } from '../../../../src/kong-watch/watcher/poller.ts';
import { AdminRefusal } from '../../../../src/kong-admin/client.ts';
import type { Fault } from '../../../support/fake-kong-admin.ts';
import { watched } from './support.ts';

const intervalMs = 5000;
const quickMs = 20;

type Way = 'normal' | 'late' | 'refused' | 'busy' | 'unreachable' | 'broken';

/** How Kong answers from when on, in milliseconds. */
interface Stretch {
  way: Way;
  lasts: number;
}

const refusal = (status: number): AdminRefusal => new AdminRefusal('no', { status, headers: {}, body: null });

/** A Kong in a world of its own time, and a loop that looks at it with some requests per look. */
class World {
  now = 0;
  /** When looks have begun that brought all. */
  readonly looks: number[] = [];
  readonly loop: Poller;
  readonly #stretches: readonly Stretch[];
  readonly #requests: number;
  #asked = 0;
  #timer: { at: number; call: () => void } | null = null;

  constructor(stretches: readonly Stretch[], requests: number) {
    this.#stretches = stretches;
    this.#requests = requests;
    this.loop = new Poller({
      clock: {
        now: () => this.now,
        random: () => 0.5,
        setTimeout: (call, ms) => (this.#timer = { at: this.now + ms, call }),
        clearTimeout: () => (this.#timer = null),
      },
      log: silentLog,
      what: 'Kong',
      intervalMs,
      untilDue: () => intervalMs,
      failed: () => undefined,
      asked: () => ({ requests: this.#asked, entities: 0 }),
      elapsed: () => this.now,
      poll: () => this.#turn(),
    });
  }

  /** Lets time pass. */
  async until(end: number): Promise<void> {
    this.loop.start();
    while (this.#timer !== null && this.#timer.at <= end) {
      const { at, call } = this.#timer;
      this.#timer = null;
      this.now = Math.max(this.now, at);
      call();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #turn(): Promise<{ did: 'read' }> {
    const began = this.now;
    for (let request = 0; request < this.#requests; request++) this.#ask();
    this.looks.push(began);
    return Promise.resolve({ did: 'read' });
  }

  #ask(): void {
    this.#asked += 1;
    const { way, until } = this.#at(this.now);
    this.now += quickMs;
    if (way === 'normal') return;
    // A Kong that has stopped answers once it goes on; the client waits for ten seconds.
    if (way === 'late') this.now = Math.min(until, this.now + 10_000);
    if (way === 'refused') throw refusal(401);
    if (way === 'busy') throw refusal(503);
    if (way === 'unreachable') throw new KongTsError('ADMIN_UNREACHABLE', 'ECONNREFUSED');
    if (way === 'broken') throw new KongTsError('ADMIN_UNREACHABLE', 'the answer has ended too soon');
  }

  #at(now: number): { way: Way; until: number } {
    let until = 0;
    for (const { way, lasts } of this.#stretches) {
      until += lasts;
      if (now < until) return { way, until };
    }
    return { way: 'normal', until: Number.POSITIVE_INFINITY };
  }
}

const stretch = fc.record<Stretch>({
  way: fc.constantFrom('normal', 'late', 'refused', 'busy', 'unreachable', 'broken'),
  lasts: fc.integer({ min: 1, max: 120_000 }),
});

it('whatever Kong has answered and however late, it is looked at within one interval after it answers', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(stretch, { maxLength: 12 }),
      fc.integer({ min: 1, max: 20 }),
      async (stretches, requests) => {
        const world = new World(stretches, requests);
        const well = stretches.reduce((sum, { lasts }) => sum + lasts, 0);
        await world.until(well + 60_000);
        await world.loop.close();
        const looks = world.looks.filter((began) => began >= well);
        // What is on its way when Kong begins to answer ends first.
        expect(looks[0]).toBeLessThanOrEqual(well + intervalMs + (requests + 1) * quickMs);
      },
    ),
    { numRuns: 300 },
  );
});

it('three looks that were late from the very start cost no more than others', async () => {
  const world = new World([{ way: 'late', lasts: 130_000 }], 3);
  await world.until(150_000);
  await world.loop.close();
  expect(world.looks.filter((began) => began >= 130_000)[0]).toBeLessThanOrEqual(135_100);
});

describe('one kind that cannot be listed', () => {
  const faults: readonly Fault[] = [
    { status: 500 },
    { status: 502 },
    { status: 401 },
    { status: 403 },
    { status: 404 },
    { status: 429 },
    { status: 200, body: '{"data":[{"id":"c1"' },
    { status: 200, body: '{"message":"half"}' },
    'reset',
  ];

  it('is listed again one interval after it can be', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...faults), { minLength: 1, maxLength: 10 }),
        async (history) => {
          const { kong, clock, watcher, told } = await watched({
            '/consumers': 'consumers',
            '/routes': 'routes',
          });
          const one = watcher();
          await one.pollNow();
          kong.put('/consumers', { id: 'c1' });
          for (const fault of history) {
            kong.fault = (request) => (request.startsWith('GET /consumers') ? fault : null);
            clock.skip(intervalMs);
            await one.pollNow();
          }
          kong.fault = () => null;
          clock.skip(intervalMs);
          await one.pollNow();
          expect(told()).toEqual(['consumers create c1']);
        },
      ),
      { numRuns: 25 },
    );
  });
});
