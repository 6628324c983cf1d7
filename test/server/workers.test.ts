import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KongClient } from './support/kong-client.ts';
import { PackedConnection } from './support/msgpack-client.ts';
import { plugin, until, Workbench } from './support/server-process.ts';

const program = fileURLToPath(new URL('../../bin/kong-ts.js', import.meta.url));
let bench: Workbench;

beforeEach(async () => {
  bench = await Workbench.create();
});
afterEach(async () => {
  await bench.clean();
});

describe('several workers', { timeout: 60_000 }, () => {
  it('serve each other instances, over both protocols, and steps of MsgPack:1 events', async () => {
    const server = await bench.serve(['steady', 'packed'], '--workers', '2').ready();
    let connections: PackedConnection[] = [];
    let Id = 0;
    // Whichever worker is late with its signs of life gets none.
    await until(async () => {
      for (const connection of connections) connection.close();
      connections = [new PackedConnection(server.socket), new PackedConnection(server.socket)];
      // One call on each, so that both have arrived at their workers.
      for (const connection of connections) {
        const { result } = await connection.call('plugin.StartInstance', { Name: 'packed', Config: '{}' });
        Id = (result as { Id: number }).Id;
      }
      const byWorker = (await server.status()).workers.map((worker) => worker.connections);
      return byWorker.join() === '1,1';
    }, 'a connection at each worker');
    const [first, second] = connections as [PackedConnection, PackedConnection];

    const calls: unknown[] = [];
    let turn = 1;
    const handle = { InstanceId: Id, EventName: 'access' };
    let answer = await second.call('plugin.HandleEvent', handle);
    for (;;) {
      expect(answer.error).toBeNull();
      const { EventId, Data } = answer.result as { EventId: number; Data: unknown };
      if (Data === 'ret') break;
      calls.push(Data);
      // Every step comes on the other connection, that is on the other worker.
      const next = connections[turn++ % 2] ?? first;
      answer = await next.call('plugin.Step', { EventId, Data: calls.length === 1 ? 'PATCH' : null });
    }
    expect(calls).toEqual([
      { Method: 'kong.request.get_method', Args: [] },
      { Method: 'kong.response.set_header', Args: ['x-method', 'PATCH'] },
    ]);
    for (const connection of connections) connection.close();

    const kong = new KongClient(server.socket);
    const id = await kong.instance('steady', {});
    await Promise.all(Array.from({ length: 6 }, () => kong.handle(id, 'access')));
    expect((await server.status()).workers.every(({ connections: count }) => count > 0)).toBe(true);
    kong.close();
  });

  it('keep the connections of a socket for MsgPack:1 on one of them', async () => {
    const server = await bench.serve(['packed'], '--workers', '2').ready();
    const spread = async (): Promise<number[]> => {
      const connections = Array.from({ length: 4 }, () => new PackedConnection(server.socket));
      for (const connection of connections) {
        await connection.call('plugin.StartInstance', { Name: 'packed', Config: '{}' });
      }
      const counts = (await server.status()).workers.map((worker) => worker.connections);
      for (const connection of connections) connection.close();
      return counts.sort();
    };
    // Where the machine gives a worker no time for 1.2 s the other one is taken; unpinned, two of four are on each.
    const together = async () => JSON.stringify(await spread()) === '[0,4]';
    await until(together, 'four connections on one worker');
  });
});

describe('kong-ts status', { timeout: 60_000 }, () => {
  it('shows what the server does, and /metrics counts it', async () => {
    const server = await bench
      .serve(['steady'], '--workers', '2', '--metrics', '127.0.0.1:0', '--log-level', 'info')
      .ready();
    const kong = new KongClient(server.socket);
    await Promise.all(Array.from({ length: 4 }, () => kong.event('steady', {}, 'access')));
    kong.close();
    const { stdout } = await promisify(execFile)(process.execPath, [
      program,
      'status',
      '--socket',
      server.socket,
    ]);
    expect(stdout).toMatch(/^healthy, running, process \d+/);
    expect(stdout).toContain('plugin   steady 1.0.0, protobuf, access');
    const { address } = await server.logged('metrics');
    const count = async () => {
      const text = await (await fetch(`http://${String(address)}/metrics`)).text();
      return text.includes('kong_ts_events_total{plugin="steady",phase="access"} 4');
    };
    await until(count, 'four events in the metrics');
    expect((await fetch(`http://${String(address)}/health`)).status).toBe(200);
    expect((await fetch(`http://${String(address)}/reload`, { method: 'POST' })).status).toBe(404);
  });

  it('says what is wrong', async () => {
    const server = await bench.serve([plugin('broken')], '--workers', '1').listening();
    await server.logged('a plugin does not load');
    const run = promisify(execFile)(process.execPath, [program, 'status', '--socket', server.socket]);
    const failure = (await run.catch((error: unknown) => error)) as { code: number; stdout: string };
    expect(failure.code).toBe(1);
    expect(failure.stdout).toContain('no licence');
    const nobody = promisify(execFile)(process.execPath, [program, 'status', '--socket', '/nowhere/k.sock']);
    await expect(nobody).rejects.toThrow(/No server answers on the control socket \/nowhere\/k\.sock\.ctl/);
  });
});
