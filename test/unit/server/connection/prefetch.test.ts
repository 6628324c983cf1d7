import { beforeEach, expect, test, vi } from 'vitest';
import { createKong } from '../../../../src/pdk/index.ts';
import type { KongApi } from '../../../../src/pdk/index.ts';
import { phases } from '../../../../src/pdk/names/phases.ts';
import { lookAtRuntime } from '../../../../src/server/connection/index.ts';
import { PrefetchLearners } from '../../../../src/server/connection/prefetch-learner.ts';
import { encodeFrame } from '../../../../src/wire/protobuf/framing.ts';
import { encodeResult } from '../../../../src/wire/protobuf/kong-side.ts';
import { testHost, testInstance } from '../../../support/connection-host.ts';
import type { TestHost } from '../../../support/connection-host.ts';
import { KongModel } from '../../../support/kong-model.ts';
import { expectNoUnhandledRejections } from '../../../support/no-unhandled.ts';
import { turns } from '../../../support/unix-server.ts';

type Handler = (kong: KongApi) => unknown;

let host: TestHost;
beforeEach(() => {
  host = testHost({ createKong });
});
expectNoUnhandledRejections();

/** An instance whose handler can be changed while what is known about it stays. */
function instance(handler: Handler) {
  const current = { handler };
  const handlers = Object.fromEntries(
    phases.map((phase) => [phase, (kong: unknown) => current.handler(kong as KongApi)]),
  );
  const made = { ...testInstance(7, handlers), prefetch: new PrefetchLearners() };
  host.instances.set(7, made);
  return { stats: made.stats, runs: (next: Handler) => (current.handler = next) };
}

const three: Handler = async (kong) => [
  await kong.request.getHeader('a'),
  await kong.request.getHeader('b'),
  await kong.request.getHeader('c'),
];

/** A connection on which the plan for `three` is in force. */
async function learned(phase = 'access') {
  const plugin = instance(three);
  const kong = new KongModel(host);
  for (let event = 0; event < 32; event++) await kong.event(7, phase);
  Object.assign(plugin.stats.access, { calls: 0, prefetched: 0, prefetchUsed: 0 });
  return { kong, ...plugin };
}

test('calls one by one leave in one write once they are known', async () => {
  const { kong, stats } = await learned();
  const seen = await kong.event(7, 'access');
  expect(seen.calls).toEqual([
    'kong.request.get_header(a)',
    'kong.request.get_header(b)',
    'kong.request.get_header(c)',
  ]);
  // The calls, and the end of the event.
  expect(seen.writes).toBe(2);
  expect(stats.access).toMatchObject({ calls: 3, prefetched: 2, prefetchUsed: 2 });
});

test('calls that are started together are no more on the wire than without', async () => {
  const { kong, runs } = await learned();
  runs((kong) => Promise.all(['a', 'b', 'c', 'd'].map((name) => kong.request.getHeader(name))));
  const seen = await kong.event(7, 'access');
  expect(seen.calls.map((call) => call.at(-2))).toEqual(['a', 'b', 'c', 'd']);
  expect(seen.writes).toBe(2);
});

test.each(['log', 'preread', 'certificate'])('nothing is asked for ahead in %s', async (phase) => {
  const plugin = instance(phase === 'certificate' ? async (kong) => void (await kong.node.getId()) : three);
  if (phase === 'preread') {
    plugin.runs(async (kong) => [await kong.client.getIp(), await kong.client.getForwardedIp()]);
  }
  const kong = new KongModel(host);
  for (let event = 0; event < 40; event++) await kong.event(7, phase);
  expect(plugin.stats[phase as 'log'].prefetched).toBe(0);
});

test('a handler that asks nothing, or begins with something else, asks for nothing ahead', async () => {
  const { kong, runs, stats } = await learned();
  runs(() => undefined);
  expect((await kong.event(7, 'access')).calls).toEqual([]);
  runs((kong) => kong.request.getHeader('b'));
  expect((await kong.event(7, 'access')).calls).toEqual(['kong.request.get_header(b)']);
  runs(async (kong) => {
    await kong.service.request.setHeader('x', 'y');
    await three(kong);
  });
  expect((await kong.event(7, 'access')).calls).toHaveLength(4);
  expect(stats.access.prefetched).toBe(0);
});

test('calls in another order, and calls in between, find their answers', async () => {
  const { kong, runs } = await learned();
  let values: unknown;
  runs(async (kong) => {
    await kong.log.notice('hello');
    values = [
      await kong.request.getHeader('a'),
      await kong.nginx.getVar('v'),
      await kong.request.getHeader('c'),
      await kong.log.notice('still the same'),
      await kong.request.getHeader('b'),
    ];
  });
  const seen = await kong.event(7, 'access');
  expect(values).toEqual(['a@0', 'v@0', 'c@0', undefined, 'b@0']);
  expect(seen.calls).toHaveLength(6);
});

/** Each call as it settles. The query argument comes some promises after its answer, the method with it. */
function together(kong: KongApi, seen: string[]): Promise<unknown> {
  return Promise.all([
    kong.request.getQueryArg('a').then(() => seen.push('query argument')),
    kong.request.getMethod().then(() => seen.push('method')),
    kong.request.getPath().then(() => seen.push('path')),
  ]);
}
const inOrder = ['query argument', 'method', 'path'];

test('calls that are made together when their answers are there settle in their order', async () => {
  let seen: string[] = [];
  const { stats } = instance(async (kong) => {
    seen = [];
    await kong.request.getHeader('a');
    await turns(3);
    await together(kong, seen);
  });
  const kong = new KongModel(host);
  for (let event = 0; event < 34; event++) await kong.event(7, 'access');
  expect(stats.access.prefetchUsed).toBeGreaterThan(0);
  expect(seen).toEqual(inOrder);
});

test('calls whose answers come in one read settle in their order', async () => {
  const seen: string[] = [];
  instance((kong) => together(kong, seen));
  await new KongModel(host).event(7, 'access');
  expect(seen).toEqual(inOrder);
});

test('after a setter the handler is not given what was asked for before it', async () => {
  const { kong, runs, stats } = await learned();
  let values: unknown;
  runs(async (kong) => {
    const first = await kong.request.getHeader('a');
    await kong.service.request.setHeader('x', 'y');
    values = [first, await kong.request.getHeader('b')];
  });
  const seen = await kong.event(7, 'access');
  expect(values).toEqual(['a@0', 'b@1']);
  expect(seen.calls.at(-1)).toBe('kong.request.get_header(b)');
  expect(stats.access).toMatchObject({ prefetched: 2, prefetchUsed: 0, calls: 2 });
});

test('a setter of the response leaves what was asked for of the request in force', async () => {
  const { kong, runs, stats } = await learned();
  let values: unknown;
  runs(async (kong) => {
    await kong.response.setHeader('x', 'y');
    const first = await kong.request.getHeader('a');
    await kong.response.setHeader('x', 'z');
    values = [first, await kong.request.getHeader('b')];
  });
  const seen = await kong.event(7, 'access');
  expect(values).toEqual(['a@0', 'b@0']);
  expect(seen.calls).toHaveLength(5);
  expect(stats.access).toMatchObject({ prefetched: 2, prefetchUsed: 1, calls: 2 });
});

test('an answer that cannot be read fails the call that asks for it and no other', async () => {
  const { kong, runs } = await learned();
  kong.unreadable = new Set(['kong.request.get_header']);
  let results: PromiseSettledResult<unknown>[] = [];
  runs(async (kong) => {
    const first = await Promise.allSettled([kong.request.getHeader('a')]);
    const second = await Promise.allSettled([kong.request.getHeader('b')]);
    results = [...first, ...second];
  });
  await kong.event(7, 'access');
  expect(results.map((result) => (result as PromiseRejectedResult).reason as unknown)).toMatchObject([
    { code: 'PDK_CALL_FAILED' },
    { code: 'PDK_CALL_FAILED', message: /Kong's answer to kong.request.get_header cannot be read/ },
  ]);
  runs((kong) => Promise.allSettled([kong.request.getHeader('a')]));
  expect((await kong.event(7, 'access')).exited).toBe(false);
  kong.unreadable = new Set();
  expect((await kong.event(7, 'access')).calls).toHaveLength(3);
});

test('a handler that ends early leaves its answers behind, and the next event is not confused', async () => {
  const { kong, runs } = await learned();
  let late: Promise<unknown> | undefined;
  let value: unknown;
  runs((kong) => {
    void kong.request.getHeader('a');
    late = kong.request.getHeader('b');
    late.catch(() => undefined);
  });
  kong.piece = 5;
  expect((await kong.event(7, 'access')).calls).toHaveLength(3);
  await expect(late).rejects.toMatchObject({ code: 'PDK_EVENT_ENDED' });
  runs(async (kong) => (value = await kong.request.getHeader('c')));
  await kong.event(7, 'access');
  expect(value).toBe('c@0');
  expect(lookAtRuntime(host)).toMatchObject({ events: 0, deadlines: 0 });
});

test('an exit in the middle is the last thing that Kong hears', async () => {
  const { kong, runs } = await learned();
  runs(async (kong) => {
    await kong.request.getHeader('a');
    await kong.response.exit(403);
  });
  const seen = await kong.event(7, 'access');
  expect(seen).toMatchObject({ exited: true, effects: ['kong.response.exit(403)'] });
  await turns();
  expect(lookAtRuntime(host)).toMatchObject({ connections: 0, events: 0 });
});

test('a connection that breaks rejects what is waited for', async () => {
  const { kong, runs } = await learned();
  const waited: Promise<unknown>[] = [];
  runs((channel) => {
    waited.push(channel.request.getHeader('a'), channel.request.getHeader('c'));
    kong.held = true;
    return Promise.all(waited);
  });
  void kong.event(7, 'access');
  await turns(4);
  kong.break();
  for (const call of waited) await expect(call).rejects.toMatchObject({ code: 'PDK_CALL_FAILED' });
  expect(lookAtRuntime(host)).toMatchObject({ connections: 0, events: 0, deadlines: 0 });
});

test.each([
  ['has returned', () => undefined],
  ['does something else', () => new Promise(() => undefined)],
])(
  'a call that Kong fails at before the handler, which %s, asked is not made ahead again',
  async (_, after) => {
    const { kong, runs, stats } = await learned();
    runs(async (channel) => {
      await channel.request.getHeader('a');
      kong.held = true;
      await after();
    });
    // One answer at a time.
    kong.piece = encodeFrame(encodeResult('String', 'a@0')).length;
    void kong.event(7, 'access');
    await vi.waitUntil(() => kong.held);
    await turns(4);
    kong.break();
    stats.access.prefetched = 0;
    runs(three);
    const next = new KongModel(host);
    for (let event = 0; event < 100; event++) await next.event(7, 'access');
    expect(stats.access.prefetched).toBe(0);
  },
);

test('a connection that breaks while the handler waits says nothing against the plan, nor does an exit', async () => {
  const { kong, runs, stats } = await learned();
  runs(async (channel) => {
    kong.held = true;
    await channel.request.getHeader('a');
  });
  void kong.event(7, 'access');
  await turns(4);
  kong.break();
  runs(async (channel) => {
    await channel.request.getHeader('a');
    await channel.response.exit(403);
  });
  expect((await new KongModel(host).event(7, 'access')).exited).toBe(true);
  stats.access.prefetched = 0;
  runs(three);
  await new KongModel(host).event(7, 'access');
  expect(stats.access.prefetched).toBe(2);
});

test('the time limit names the call that Kong has not answered', async () => {
  const { kong, runs } = await learned();
  runs(async (channel) => {
    const a = channel.request.getHeader('a');
    kong.held = true;
    await a;
  });
  const over = kong.event(7, 'access');
  await turns(3);
  host.clock.advance(31_000);
  expect(host.lines.at(-1)?.message).toContain('Kong has not answered kong.request.get_header');
  kong.release();
  expect((await over).exited).toBe(true);
});

test('a connection that drains ends after the event, whatever answers are still to come', async () => {
  const { kong, runs } = await learned();
  let go: (() => void) | undefined;
  runs(async (channel) => {
    await channel.request.getHeader('a');
    kong.held = true;
    await new Promise<void>((resolve) => (go = resolve));
  });
  // One answer at a time.
  kong.piece = 9;
  const over = kong.event(7, 'access');
  await turns(6);
  void kong.connection.drain(10);
  host.clock.advance(2100);
  await turns();
  expect(kong.writableEnded).toBe(false);
  go?.();
  await over;
  expect(kong.writableEnded).toBe(true);
  kong.release();
  await turns();
  expect(host.lines).toEqual([]);
});
