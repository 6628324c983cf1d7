import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { compilePlugin } from '../../../src/plugin/define.ts';
import type { RunningInstance } from '../../../src/server/connection/host.ts';
import { InstanceRegistry } from '../../../src/server/instances/index.ts';
import { addStats } from '../../../src/server/metrics/aggregate.ts';
import { exposition } from '../../../src/server/metrics/exposition.ts';
import { createPluginStats, observe } from '../../../src/server/metrics/phase-stats.ts';
import { serverMetrics } from '../../../src/server/metrics/server-metrics.ts';
import { compileServerOptions } from '../../../src/server/options.ts';
import { ManualClock, memoryLog, testSurroundings } from '../../support/connection-host.ts';

const definition = { name: 'p', version: '1.0.0', access: () => undefined };

/** The instances of one configuration that Kong started twice. */
async function started(plugin: object, prefetch: boolean, merge = false): Promise<RunningInstance[]> {
  const compiled = compilePlugin({ ...definition, ...plugin });
  const log = memoryLog([]);
  const registry = new InstanceRegistry({
    clock: new ManualClock(),
    log,
    prefetch,
    merge,
    plugin: () => compiled,
    stats: () => createPluginStats(),
    surroundings: () => testSurroundings(log),
  });
  const instances: RunningInstance[] = [];
  for (let count = 0; count < 2; count++) {
    const { id } = await registry.start('p', Buffer.from('{"__plugin_id":"a"}'));
    instances.push((await registry.find(id)) as RunningInstance);
  }
  await registry.closeAll(1000);
  return instances;
}

test('all instances of a configuration learn together', async () => {
  const [one, other] = await started({}, true);
  expect(one?.prefetch?.of('access')).toBeDefined();
  expect(one?.prefetch).toBe(other?.prefetch);
});

test.each([
  ['--no-prefetch', {}, false],
  ['prefetch: false in the plugin', { prefetch: false }, true],
  ['MsgPack:1, where Kong takes one call at a time', { protocol: 'msgpack' }, true],
])('nothing is learned with %s', async (_what, plugin, prefetch) => {
  for (const instance of await started(plugin, prefetch)) expect(instance.prefetch).toBe(null);
});

test('it is on unless a server or a plugin switches it off', () => {
  const options = { plugins: ['p'], socket: '/run/s' };
  expect(compileServerOptions(options).prefetch).toBe(true);
  expect(compileServerOptions({ ...options, prefetch: false }).prefetch).toBe(false);
  expect(compilePlugin(definition).prefetch).toBe(true);
  expect(() => compilePlugin({ ...definition, prefetch: 'yes' })).toThrow(/prefetch is "yes"/);
});

test.each([
  ['unless it is switched off', {}, true, true],
  ['not with --no-merge', {}, false, false],
  ['not with merge: false in the plugin', { merge: false }, true, false],
])('calls are merged, %s', async (_what, plugin, merge, merges) => {
  for (const instance of await started(plugin, true, merge)) expect(instance.merges).toBe(merges);
});

test('over MsgPack:1 something is learned for the sake of merging', async () => {
  const [instance] = await started({ protocol: 'msgpack' }, true, true);
  expect(instance?.prefetch?.of('access')).toBeDefined();
  const options = { plugins: ['p'], socket: '/run/s' };
  expect(compileServerOptions(options).merge).toBe(true);
  expect(compileServerOptions({ ...options, merge: false }).merge).toBe(false);
  expect(compilePlugin(definition).merge).toBe(true);
  expect(() => compilePlugin({ ...definition, merge: 'yes' })).toThrow(/merge is "yes"/);
});

test('its counters are added up over the workers', async () => {
  const one = createPluginStats();
  observe(one.access, 0.1);
  Object.assign(one.access, { prefetched: 9, prefetchUsed: 7, merged: 4 });
  const { text } = await exposition([
    serverMetrics({
      stats: addStats(addStats({}, { p: one }), { p: one }),
      workers: [],
      restarts: {},
      waitingConnections: 0,
      unknownInstances: 0,
      socketGap: null,
      instances: 0,
      pluginsFailed: 0,
    }),
  ]);
  expect(text).toContain('kong_ts_pdk_prefetched_total{plugin="p",phase="access"} 18');
  expect(text).toContain('kong_ts_pdk_prefetch_used_total{plugin="p",phase="access"} 14');
  expect(text).toContain('kong_ts_pdk_merged_total{plugin="p",phase="access"} 8');
});
