import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KongClient } from './support/kong-client.ts';
import type { ServerProcess } from './support/server-process.ts';
import { until, Workbench } from './support/server-process.ts';

// Whatever keeps an instance from running, Kong is given one: a refusal raises in Kong's log timer.

let bench: Workbench;
let server: ServerProcess;
let protobuf: KongClient;
let msgpack: KongClient;

beforeAll(async () => {
  bench = await Workbench.create();
  server = await bench.serve(['steady', 'broken', 'unwilling', 'wild'], '--workers', '2').ready();
  protobuf = new KongClient(server.socket);
  msgpack = new KongClient(server.socket, 'msgpack', protobuf);
});
afterAll(async () => {
  protobuf.close();
  msgpack.close();
  await bench.clean();
});

/** Kong's connections to a worker that has died are used once more at most: what is asked here is asked on new ones. */
async function killWorkers(): Promise<number[]> {
  const pids = await server.workerPids();
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids;
}

const unable: [string, string, object][] = [
  ['a plugin that does not load', 'broken', {}],
  ['a name that nobody serves', 'nobody', {}],
  ['a configuration that is refused', 'unwilling', { setup: 'works', depth: 4 }],
  ['a configuration that is not an object', 'steady', []],
  ['a setup that throws', 'unwilling', { setup: 'throws' }],
];

describe.each(['protobuf', 'msgpack'] as const)('over %s', (protocol) => {
  it.each(unable)(
    '%s: requests are a 500 and log events end, on every worker',
    async (_what, name, config) => {
      const kong = protocol === 'protobuf' ? protobuf : msgpack;
      const before = kong.retries;
      // At once: on connections of both workers.
      const logs = await Promise.all(Array.from({ length: 8 }, () => kong.event(name, config, 'log')));
      expect(logs).toEqual(logs.map(() => ({ calls: [] })));
      for (const phase of ['rewrite', 'access', 'response']) {
        expect(await kong.event(name, config, phase)).toEqual({ calls: ['kong.response.exit'] });
      }
      expect([kong.retries - before, kong.skipped]).toEqual([0, []]);
    },
  );

  it('an instance of a worker that has died runs on the others', async () => {
    const kong = protocol === 'protobuf' ? protobuf : msgpack;
    kong.forgetConnections();
    const id = await kong.start('unwilling', { setup: 'works', __plugin_id: protocol });
    const broken = await kong.start('nobody', { __plugin_id: protocol });
    const pids = await killWorkers();
    await until(async () => (await server.workerPids()).every((pid) => !pids.includes(pid)), 'new workers');
    await server.ready();
    kong.forgetConnections();
    expect(await kong.handle(id, 'log')).toEqual({ calls: [] });
    expect(await kong.handle(broken, 'log')).toEqual({ calls: [] });
    expect(await kong.handle(broken, 'access')).toEqual({ calls: ['kong.response.exit'] });
    expect(kong.skipped).toEqual([]);
  });

  it('a worker that dies while it starts an instance leaves no StartInstance unanswered', async () => {
    const kong = protocol === 'protobuf' ? protobuf : msgpack;
    kong.forgetConnections();
    const [begun, gate] = [join(bench.folder, `${protocol}-begun`), join(bench.folder, `${protocol}-gate`)];
    const starting = kong.start('unwilling', { setup: 'waits', begun, gate, __plugin_id: protocol });
    await until(async () => existsSync(begun), 'the setup');
    await killWorkers();
    const id = await starting;
    writeFileSync(gate, '');
    await server.ready();
    kong.forgetConnections();
    expect(await kong.handle(id, 'log')).toEqual({ calls: [] });
    expect(kong.skipped).toEqual([]);
  });

  it('a setup that ends its worker is not tried on one worker after the other', async () => {
    const kong = protocol === 'protobuf' ? protobuf : msgpack;
    kong.forgetConnections();
    const config = { setup: 'kills', __plugin_id: protocol };
    const [first, second] = [await kong.start('unwilling', config), await kong.start('unwilling', config)];
    expect(first).not.toBe(second);
    await server.ready();
    kong.forgetConnections();
    expect(await kong.handle(first, 'access')).toEqual({ calls: ['kong.response.exit'] });
    expect(await kong.event('unwilling', config, 'log')).toEqual({ calls: [] });
    expect(kong.skipped).toEqual([]);
  });
});
