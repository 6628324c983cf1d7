import { Buffer } from 'node:buffer';
import { beforeEach, describe, expect, test } from 'vitest';
import { KongTsError } from '../../../../src/base/errors.ts';
import type { CompiledPlugin, PluginHandlers, SetupContext } from '../../../../src/plugin/types.ts';
import { InstanceRegistry } from '../../../../src/server/instances/index.ts';
import type { RegistryOptions } from '../../../../src/server/instances/index.ts';
import { createPluginStats } from '../../../../src/server/metrics/phase-stats.ts';
import { transcripts } from '../../../conformance/transcripts/transcript.ts';
import { ManualClock, memoryLog, testPlugin, testSurroundings } from '../../../support/connection-host.ts';
import type { LogLine } from '../../../support/connection-host.ts';
import { turns } from '../../../support/unix-server.ts';

let clock: ManualClock;
let lines: LogLine[];
let setups: SetupContext<unknown>[];
let closed: number;
let released: number;

const schema = { name: 'p', fields: [{ config: { type: 'record', fields: [{ n: { type: 'number' } }] } }] };

function registryOf(
  plugin: Partial<CompiledPlugin> = {},
  options: Partial<RegistryOptions> = {},
): InstanceRegistry {
  const compiled = testPlugin({
    name: 'p',
    schema,
    setup: async (context) => {
      setups.push(context);
      return { phases: { log: () => undefined }, close: () => void closed++ };
    },
    ...plugin,
  });
  const log = memoryLog(lines);
  return new InstanceRegistry({
    clock,
    log,
    plugin: (name) => (name === 'p' ? compiled : null),
    stats: () => createPluginStats(),
    surroundings: () => ({ ...testSurroundings(log), release: () => void released++ }),
    wallClock: () => 1_795_282_096_500,
    ...options,
  });
}

const config = (fields: object) => Buffer.from(JSON.stringify(fields));
const common = { n: 5, __plugin_id: 'a', __ws_id: 'w', __key__: 'plugins:p:::::w', __seq__: 6 };

beforeEach(() => {
  clock = new ManualClock();
  lines = [];
  setups = [];
  closed = 0;
  released = 0;
});

test('the configuration of a real Kong is taken apart', async () => {
  const wire = transcripts.find(({ name }) => name === 'protobuf-config-change')?.wire ?? [];
  const text = Buffer.from(wire[1]?.[2] ?? '', 'hex').toString('latin1');
  const json = /\{.*\}/.exec(text)?.[0] ?? '';
  const registry = registryOf();
  await registry.start('p', Buffer.from(json));
  expect(setups[0]?.config).toEqual({ n: 5, note: 'pbnote' });
  expect(setups[0]?.instance).toEqual({
    pluginId: 'e0c73454-e406-5fac-b638-be3c4488b02a',
    workspaceId: '0dc6f45b-8f8d-40d2-a504-473544ee190b',
    routeId: null,
    serviceId: null,
    consumerId: null,
    seq: 6,
    key: 'plugins:probe-pb:::::0dc6f45b-8f8d-40d2-a504-473544ee190b',
  });
});

test('scope ids are information, unless the plugin has a field of that name', async () => {
  await registryOf().start('p', config({ ...common, route_id: 'r', service_id: null, consumer_id: 'c' }));
  expect(setups[0]?.config).toEqual({ n: 5 });
  expect(setups[0]?.instance).toMatchObject({ routeId: 'r', serviceId: null, consumerId: 'c' });
  const own = {
    name: 'p',
    fields: [{ config: { type: 'record', fields: [{ route_id: { type: 'string' } }] } }],
  };
  await registryOf({ schema: own }).start('p', config({ ...common, route_id: 'r' }));
  expect(setups[1]?.config).toEqual({ n: 5, route_id: 'r' });
});

test('one setup per configuration, whatever its seq and the order of its fields', async () => {
  const registry = registryOf();
  const [one, two, three] = await Promise.all([
    registry.start('p', config(common)),
    registry.start('p', config({ __seq__: 9, ...Object.fromEntries(Object.entries(common).reverse()) })),
    registry.start('p', config({ ...common, n: 6 })),
  ]);
  expect(setups).toHaveLength(2);
  expect(new Set([one.id, two.id, three.id]).size).toBe(3);
  expect(one).toMatchObject({ name: 'p', startedAt: 1_795_282_096, config: common });
  expect(registry.find(one.id)).toMatchObject({ id: one.id, config: { n: 5 } });
  await registry.forget(one.id);
  expect(closed).toBe(0);
  await registry.forget(two.id);
  expect([closed, released]).toEqual([1, 1]);
  expect(registry.find(two.id)).toBeNull();
  expect(registry.forget(two.id)).toBeNull();
  expect(registry.size).toBe(1);
});

test('ids are int32, never given out twice, and another one is tried when it is taken', async () => {
  const ids = [5, 5, 5, 8, 9];
  const taken = new Set([8]);
  const claim = ({ id }: { id: number }) => Promise.resolve(!taken.has(id));
  const registry = registryOf({}, { randomId: () => ids.shift() ?? 10, claim });
  const first = await registry.start('p', config(common));
  await registry.forget(first.id);
  const second = await registry.start('p', config(common));
  expect([first.id, second.id]).toEqual([5, 9]);
  const random = registryOf();
  for (let count = 0; count < 50; count++) {
    const { id } = await random.start('p', config(common));
    expect(id).toBeGreaterThan(0);
    expect(id).toBeLessThan(2 ** 31);
  }
});

test('an instance of another worker is adopted once, under its id', async () => {
  const registry = registryOf();
  const [one, two] = await Promise.all([
    registry.adopt(42, 'p', config(common), 7),
    registry.adopt(42, 'p', config(common), 7),
  ]);
  expect(one).toBe(two);
  expect(setups).toHaveLength(1);
  expect(registry.describe(42)).toMatchObject({ id: 42, startedAt: 7 });
  expect(registry.find(42)).toBe(one);
});

describe('errors name what is wrong', () => {
  test.each([
    ['q', config(common), 'PLUGIN_NOT_FOUND', /q/],
    ['p', Buffer.from('{"n":'), 'CONFIG_INVALID', /p is not JSON/],
    ['p', Buffer.from('[]'), 'CONFIG_INVALID', /p is not a JSON object/],
  ])('%s %s', async (name, bytes, code, message) => {
    const start = registryOf().start(name, bytes);
    await expect(start).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
  });

  test('what the plugin cannot accept', async () => {
    const registry = registryOf({
      parseConfig() {
        throw new KongTsError('CONFIG_INVALID', 'config.n: expected a string');
      },
    });
    await expect(registry.start('p', config(common))).rejects.toThrow('config.n: expected a string');
    expect(registry.size).toBe(0);
  });

  test('a setup that fails is tried again by the next start', async () => {
    let fail = true;
    const registry = registryOf({
      setup: () =>
        fail ? Promise.reject(new Error('no database')) : Promise.resolve({ phases: {}, close: null }),
    });
    await expect(registry.start('p', config(common))).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: 'The setup of plugin p failed: no database',
    });
    expect([registry.size, [...registry.configurations].length, released]).toEqual([0, 0, 1]);
    fail = false;
    await registry.start('p', config(common));
    expect(registry.size).toBe(1);
  });
});

test('a setup that never ends is given up with a clear error, and closed if it ends after all', async () => {
  let finish = (_handlers: PluginHandlers) => {};
  const registry = registryOf({ setup: () => new Promise((resolve) => (finish = resolve)) });
  const started = registry.start('p', config(common)).catch((error: unknown) => error);
  await turns(1);
  clock.advance(30_000);
  expect(await started).toMatchObject({
    code: 'SETUP_FAILED',
    message: 'The setup of plugin p failed: it did not finish within 30 seconds',
  });
  expect([registry.size, [...registry.configurations].length, released, clock.timers]).toEqual([0, 0, 0, 0]);
  finish({ phases: {}, close: () => void closed++ });
  await turns(1);
  expect([closed, released]).toEqual([1, 1]);
});

test('an instance that cannot be set up again, or not here, fails its events with the reason', async () => {
  let fail = false;
  const setup = () =>
    fail ? Promise.reject(new Error('no database')) : Promise.resolve({ phases: {}, close: null });
  const registry = registryOf({ setup, onError: 'continue' });
  const { id } = await registry.start('p', config(common));
  clock.advance(2 * 3_600_000);
  await turns();
  fail = true;
  const broken = await registry.find(id);
  const adopted = await registry.adopt(5, 'p', config({ ...common, n: 6 }));
  for (const instance of [broken, adopted]) {
    expect(instance?.plugin.onError).toBe('continue');
    expect(() => instance?.handlers.phases.access?.(null, null)).toThrow(
      'The setup of plugin p failed: no database',
    );
  }
  fail = false;
  expect((await registry.find(id))?.handlers.phases).toEqual({});
  const unknown = await registry.adopt(6, 'unknown', config({}));
  expect(() => unknown.handlers.phases.access?.(null, null)).toThrow('No plugin named unknown');
});

test('instances that Kong has forgotten go after a day, used ones stay', async () => {
  const registry = registryOf();
  const [old, used] = [await registry.start('p', config(common)), await registry.start('p', config(common))];
  for (let hour = 0; hour < 30; hour++) {
    clock.advance(3_600_000);
    await turns(1);
    await registry.find(used.id);
  }
  expect([registry.describe(old.id), registry.describe(used.id)]).toMatchObject([null, { id: used.id }]);
  clock.advance(30 * 3_600_000);
  expect(registry.size).toBe(0);
  expect([...registry.configurations]).toEqual([]);
});

test('a configuration is closed once its events have ended', async () => {
  const registry = registryOf();
  const { id } = await registry.start('p', config(common));
  const running = await registry.find(id);
  if (running === null) throw new Error('not found');
  running.usage.events = 1;
  const forgotten = registry.forget(id);
  await turns();
  expect(closed).toBe(0);
  running.usage.events = 0;
  running.usage.whenIdle?.();
  await forgotten;
  expect(closed).toBe(1);
});

test('after an hour without events the state goes and the id stays', async () => {
  const registry = registryOf();
  const { id } = await registry.start('p', config(common));
  clock.advance(3_000_000);
  expect(registry.find(id)).toMatchObject({ id });
  clock.advance(3_500_000);
  await turns();
  expect(closed).toBe(0);
  clock.advance(1_900_000);
  await turns();
  expect([closed, released]).toEqual([1, 1]);
  const again = registry.find(id);
  expect(again).toBeInstanceOf(Promise);
  expect(await again).toMatchObject({ id, handlers: { phases: { log: expect.any(Function) as unknown } } });
  expect(setups).toHaveLength(2);
  expect(registry.find(id)).toMatchObject({ id });
});

test('closing all waits no longer than it may', async () => {
  const registry = registryOf({
    setup: () => Promise.resolve({ phases: {}, close: () => new Promise(() => undefined) }),
  });
  await registry.start('p', config(common));
  const all = registry.closeAll(1000);
  await turns();
  clock.advance(1001);
  await all;
  expect(clock.timers).toBe(0);
});

test('a close that throws is logged and hurts nobody', async () => {
  const registry = registryOf({
    setup: () =>
      Promise.resolve({
        phases: {},
        close() {
          throw new Error('already gone');
        },
      }),
  });
  const { id } = await registry.start('p', config(common));
  await registry.forget(id);
  expect(lines).toMatchObject([
    { level: 'error', message: expect.stringContaining('already gone') as string },
  ]);
});

describe('for a Kong that must not be refused', () => {
  const reasonOf = async (registry: InstanceRegistry, id: number): Promise<string> => {
    const instance = await registry.find(id);
    try {
      await instance?.handlers.phases.log?.(null, null);
      return 'runs';
    } catch (error) {
      return (error as Error).message;
    }
  };

  test.each([
    ['a plugin that is not loaded', 'q', config(common), 'No plugin named q'],
    ['a configuration that is not JSON', 'p', Buffer.from('{"n":'), 'p is not JSON'],
    ['a setup that fails', 'p', config({ ...common, n: 13 }), 'no database'],
  ])('%s is an instance that says so, in the log and in its events', async (_what, name, bytes, reason) => {
    const registry = registryOf({
      setup: () => Promise.reject(new Error('no database')),
    });
    const started = await registry.startAnyway(name, bytes);
    expect(started).toMatchObject({ name, id: expect.any(Number) as number });
    expect(lines).toMatchObject([{ level: 'error', fields: { plugin: name, instance: started.id } }]);
    expect(lines[0]?.message).toContain(reason);
    expect(await reasonOf(registry, started.id)).toContain(reason);
    expect(registry.describe(started.id)).toEqual(started);
    await registry.forget(started.id);
    expect(registry.find(started.id)).toBeNull();
  });

  test('its id is told within five seconds although its setup takes longer, and its events wait', async () => {
    let setUp = (_handlers: PluginHandlers) => {};
    const claimed: number[] = [];
    const registry = registryOf(
      { setup: () => new Promise((resolve) => (setUp = resolve)) },
      { claim: ({ id }) => Promise.resolve(claimed.push(id) > 0) },
    );
    const bytes = config(common);
    const starting = registry.startAnyway('p', bytes);
    await turns();
    clock.advance(5000);
    const started = await starting;
    expect(started).toMatchObject({ name: 'p', config: common, startedAt: 1_795_282_096 });
    expect(claimed).toEqual([started.id]);
    // Kong's next bytes may take the place of the configuration.
    bytes.fill(0);
    const [event, elsewhere] = [registry.find(started.id), registry.adopt(started.id, 'p', bytes)];
    setUp({ phases: { log: () => undefined }, close: () => void closed++ });
    expect(await event).toBe(await elsewhere);
    expect(registry.describe(started.id)).toEqual(started);
    expect(await reasonOf(registry, started.id)).toBe('runs');
    expect(lines).toEqual([]);
  });

  test('one that is closed while it sets up is closed once it has', async () => {
    let setUp = (_handlers: PluginHandlers) => {};
    const registry = registryOf({ setup: () => new Promise((resolve) => (setUp = resolve)) });
    const starting = registry.startAnyway('p', config(common));
    await turns();
    clock.advance(5000);
    const { id } = await starting;
    const forgotten = registry.forget(id);
    setUp({ phases: {}, close: () => void closed++ });
    await forgotten;
    expect([closed, registry.size, registry.find(id)]).toEqual([1, 0, null]);
  });

  test('a setup that fails after the id was told fails the events that wait, with the reason', async () => {
    let fail = (_reason: Error) => {};
    const registry = registryOf({ setup: () => new Promise((_resolve, reject) => (fail = reject)) });
    const starting = registry.startAnyway('p', config(common));
    await turns();
    clock.advance(5000);
    const { id } = await starting;
    const event = reasonOf(registry, id);
    fail(new Error('no database'));
    expect(await event).toContain('no database');
  });

  test('it is tried again when an event comes after a pause, which grows', async () => {
    let fail = true;
    let tries = 0;
    const registry = registryOf({
      setup: () => {
        tries++;
        if (fail) return Promise.reject(new Error('no database'));
        return Promise.resolve({ phases: { log: () => undefined }, close: null });
      },
    });
    const { id } = await registry.startAnyway('p', config(common));
    for (let event = 0; event < 100; event++) await reasonOf(registry, id);
    expect(tries).toBe(1);
    clock.advance(1000);
    const both = await Promise.all([reasonOf(registry, id), reasonOf(registry, id)]);
    expect([both[0], tries]).toEqual([expect.stringContaining('no database'), 2]);
    clock.advance(1900);
    expect([await reasonOf(registry, id), tries]).toEqual([expect.stringContaining('no database'), 2]);
    fail = false;
    clock.advance(100);
    expect([await reasonOf(registry, id), tries]).toEqual(['runs', 3]);
    expect(lines.at(-1)).toMatchObject({ level: 'notice' });
  });
});

test('instances that cannot run are kept up to a size: the oldest go first', async () => {
  const registry = registryOf();
  const asked = { ticket: 1, protocol: 'protobuf' as const, request: 1 };
  const large = Buffer.alloc(8 * 1024 * 1024, ' ');
  const ids: number[] = [];
  for (let at = 0; at < 12; at += 1) ids.push((await registry.startAnyway('nobody', large, asked)).id);
  const kept = ids.filter((id) => registry.describe(id) !== null);
  expect(kept).toEqual(ids.slice(4));
  for (const id of kept) await registry.forget(id);
  const [small, ...more] = await Promise.all(
    [large, large, config({ n: 1 })].map((bytes) => registry.startAnyway('nobody', bytes, asked)),
  );
  for (const each of [small, ...more]) expect(registry.describe(each?.id ?? 0)).not.toBeNull();
});
