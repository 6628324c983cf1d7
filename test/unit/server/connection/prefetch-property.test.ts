import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createKong } from '../../../../src/pdk/index.ts';
import type { KongApi } from '../../../../src/pdk/index.ts';
import { lookAtRuntime } from '../../../../src/server/connection/index.ts';
import { PrefetchLearners } from '../../../../src/server/connection/prefetch-learner.ts';
import { testHost, testInstance } from '../../../support/connection-host.ts';
import { KongModel } from '../../../support/kong-model.ts';
import { expectNoUnhandledRejections } from '../../../support/no-unhandled.ts';

const names = fc.constantFrom('a', 'b', 'c', 'd');
const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('get' as const), name: names }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('method', 'variable', 'composed', 'log', 'pause', 'loose', 'race', 'burst'),
      name: names,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('set', 'upstream', 'exit', 'throw'), name: names }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Runs one operation; what it saw goes to `values`. */
async function perform(kong: KongApi, { kind, name }: Operation, values: unknown[]): Promise<void> {
  switch (kind) {
    case 'get':
      values.push(await kong.request.getHeader(name));
      break;
    case 'method':
      values.push(await kong.request.getMethod());
      break;
    case 'variable':
      values.push(await kong.nginx.getVar(name));
      break;
    case 'composed':
      values.push(await kong.request.getForwardedPath());
      break;
    case 'log':
      await kong.log.notice(name);
      break;
    case 'pause':
      await new Promise((resolve) => setImmediate(resolve));
      break;
    case 'loose':
      void kong.request.getHeader(name);
      break;
    case 'race': {
      const before = kong.request.getHeader(name);
      await kong.response.setHeader(name, 'x');
      values.push(await kong.request.getHeader(name), await before);
      break;
    }
    case 'burst':
      values.push(await Promise.all([kong.request.getPath(), kong.request.getHeader(name)]));
      break;
    case 'set':
      await kong.response.setHeader(name, 'x');
      break;
    case 'upstream':
      values.push(await kong.service.setUpstream(name));
      break;
    case 'exit':
      await kong.response.exit(403);
      break;
    case 'throw':
      throw new Error('the handler has had enough');
  }
}

/** A small generator, so that the same events leave out the same operations in both runs. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Run {
  readonly program: readonly Operation[];
  readonly left: number;
  readonly seed: number;
  readonly piece: number;
}

async function run({ program, left, seed, piece }: Run, prefetch: boolean) {
  const host = testHost({ createKong });
  const random = randomFrom(seed);
  const results: unknown[] = [];
  let values: unknown[] = [];
  const handler = async (kong: unknown) => {
    for (const each of program) {
      if (random() >= left) await perform(kong as KongApi, each, values);
    }
  };
  const instance = testInstance(7, { access: handler });
  host.instances.set(7, prefetch ? { ...instance, prefetch: new PrefetchLearners() } : instance);
  let kong = new KongModel(host, piece);
  for (let event = 0; event < 60; event++) {
    values = [];
    const { effects, exited } = await kong.event(7, 'access');
    results.push({ values, effects, exited });
    if (exited) kong = new KongModel(host, piece);
  }
  const { events, errors, exits, calls, sends, prefetched, prefetchUsed } = instance.stats.access;
  expect(prefetchUsed).toBeLessThanOrEqual(prefetched);
  expect(lookAtRuntime(host)).toMatchObject({ events: 0, deadlines: 0 });
  return { results, counted: { events, errors, exits, calls, sends }, prefetched };
}

expectNoUnhandledRejections();

test('a handler sees the same values and does the same with answers asked for ahead and without', async () => {
  let prefetched = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.record<Run>({
        program: fc.array(operation, { minLength: 1, maxLength: 12 }),
        left: fc.constantFrom(0, 0.05, 0.2, 0.5),
        seed: fc.nat(),
        piece: fc.constantFrom(1 << 20, 64, 7),
      }),
      async (each) => {
        const ahead = await run(each, true);
        const { results, counted } = await run(each, false);
        expect(ahead.results).toEqual(results);
        expect(ahead.counted).toEqual(counted);
        prefetched += ahead.prefetched;
      },
    ),
    { numRuns: 25 },
  );
  // Otherwise nothing was tried.
  expect(prefetched).toBeGreaterThan(100);
});
