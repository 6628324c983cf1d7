import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KongClient, Load } from './support/kong-client.ts';
import type { EventResult } from './support/kong-client.ts';
import { PackedConnection } from './support/msgpack-client.ts';
import type { ServerProcess } from './support/server-process.ts';
import { until, Workbench } from './support/server-process.ts';
import { MessageDecoder } from '../../src/wire/msgpack/framing.ts';
import { encodeRequest } from '../../src/wire/msgpack/kong-side.ts';

// What Kong loses when a server, or a part of one, goes.

let bench: Workbench;
let clients: KongClient[];

beforeEach(async () => {
  bench = await Workbench.create();
  clients = [];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const client of clients) client.close();
  await bench.clean();
});

function client(socket: string): KongClient {
  const made = new KongClient(socket);
  clients.push(made);
  return made;
}

/** A file that is not there: what waits for it goes on once `open` has written it. */
const closedGate = (): string => join(bench.folder, 'gate');
const open = (gate: string): void => writeFileSync(gate, '');

/** The processes in which handlers of `packed` wait at the gate, or did. */
const waiting = (gate: string): number[] =>
  existsSync(`${gate}.waits`) ? readFileSync(`${gate}.waits`, 'utf8').trim().split('\n').map(Number) : [];

/** Requests with a log event each: `sent` are the records that Kong has handed over. */
class Traffic {
  readonly sent: string[] = [];
  readonly #loads: Load[];

  constructor(server: ServerProcess, file: string, concurrency: number) {
    let next = 0;
    this.#loads = Array.from({ length: concurrency }, () => {
      const kong = client(server.socket);
      return new Load(1, async () => {
        await kong.event('steady', {}, 'access');
        const record = `record-${String(next++)}`;
        kong.results['kong.log.serialize'] = record;
        await kong.event('recording', { file }, 'log');
        this.sent.push(record);
        await new Promise((resolve) => setTimeout(resolve, 20));
      });
    });
  }

  get failures(): string[] {
    return this.#loads.flatMap(({ failures }) => failures);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loads.map((load) => load.stop()));
  }
}

const lines = (file: string): Set<string> => new Set(readFileSync(file, 'utf8').split('\n'));

describe('a worker that is killed', { timeout: 120_000 }, () => {
  it('four times under load, costs no log record and no request over ProtoBuf:1', async () => {
    const server = await bench.serve(['steady', 'recording'], '--workers', '2').ready();
    const file = join(bench.folder, 'records');
    const traffic = new Traffic(server, file, 8);
    for (let kill = 0; kill < 4; kill++) {
      const before = traffic.sent.length;
      await until(async () => traffic.sent.length > before + 100, 'events');
      // One that has served for a while: a worker that dies at once after its start is suspected of the events on it.
      const seasoned = async () =>
        (await server.status()).workers.find(
          ({ state, readyAt }) => state === 'ready' && readyAt !== null && Date.now() - readyAt > 600,
        )?.pid ?? null;
      let pid: number | null = null;
      await until(async () => (pid = await seasoned()) !== null, 'a worker that has served for a while');
      process.kill(Number(pid ?? Number.NaN), 'SIGKILL');
    }
    const before = traffic.sent.length;
    await until(async () => traffic.sent.length > before + 100, 'events after the last one');
    await traffic.stop();
    const written = lines(file);
    expect(traffic.failures).toEqual([]);
    expect(traffic.sent.filter((record) => !written.has(record))).toEqual([]);
    expect((await server.status()).restarts['died']).toBe(4);
  });
});

describe('a worker that is killed while it works on a MsgPack:1 event', { timeout: 120_000 }, () => {
  it('leaves nothing unanswered: Kong begins the event anew, and goes on without the plugin nowhere', async () => {
    const server = await bench.serve(['packed'], '--workers', '1').ready();
    const kong = new KongClient(server.socket, 'msgpack');
    clients.push(kong);
    kong.results['kong.request.get_method'] = 'GET';
    const gate = closedGate();
    const events = Array.from({ length: 5 }, () => kong.event('packed', { gate }, 'access'));
    await until(async () => waiting(gate).length === 5, 'the handlers');
    process.kill(waiting(gate)[0] ?? 0, 'SIGKILL');
    await until(async () => waiting(gate).length === 10, 'the handlers, again');
    open(gate);
    for (const { calls } of await Promise.all(events)) {
      expect(calls).toEqual(['kong.request.get_method', 'kong.response.set_header']);
    }
    expect(kong.skipped).toEqual([]);
  });

  it.each(['atOnce', 'later'])(
    'leaves nothing unanswered either if its handler ends it before anything else runs: %s',
    async (when) => {
      const server = await bench.serve(['packed'], '--workers', '1').ready();
      const kong = new KongClient(server.socket, 'msgpack');
      clients.push(kong);
      kong.results['kong.request.get_method'] = 'GET';
      const { calls } = await kong.event(
        'packed',
        { dies: { [when]: join(bench.folder, 'died') } },
        'access',
      );
      expect(calls).toEqual(['kong.request.get_method', 'kong.response.set_header']);
      expect([kong.skipped, kong.retries]).toEqual([[], 1]);
    },
  );

  it('and the one after it as well, gives the requests a 500', async () => {
    const server = await bench.serve(['packed'], '--workers', '1').ready();
    const kong = new KongClient(server.socket, 'msgpack');
    clients.push(kong);
    kong.results['kong.request.get_method'] = 'GET';
    const gate = closedGate();
    const ended: EventResult[] = [];
    const event = kong.event('packed', { gate }, 'access');
    void event.then((result) => ended.push(result));
    // A worker that has served for a while and is killed from outside is an accident.
    for (let killed = 0; ended.length === 0; killed++) {
      await until(async () => ended.length > 0 || waiting(gate).length > killed, 'the handler, or the end');
      const pid = waiting(gate)[killed];
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    }
    expect((await event).calls).toEqual(['kong.request.get_method', 'kong.response.exit']);
    expect(kong.skipped).toEqual([]);
  });
});

describe('a worker that is killed in the middle of a MsgPack:1 request', { timeout: 120_000 }, () => {
  it('leaves no rest of it that passes for a request: Kong is answered, and the connection ends', async () => {
    const server = await bench.serve(['packed'], '--workers', '1').ready();
    const kong = connect(server.socket);
    const decoder = new MessageDecoder();
    const answers: unknown[] = [];
    let ended = false;
    kong.on('data', (bytes) => answers.push(...decoder.push(bytes)));
    kong.on('close', () => (ended = true));
    const body = encodeRequest(7, 'plugin.Step', [{ EventId: 1, Data: 'x'.repeat(50_000) }]);
    await new Promise((resolve) => kong.write(body.subarray(0, 40_000), resolve));
    const other = new PackedConnection(server.socket);
    for (let turn = 0; turn < 2; turn++) await other.call('plugin.CloseInstance', 1);
    const [worker] = (await server.status()).workers;
    process.kill(Number(worker?.pid ?? Number.NaN), 'SIGKILL');
    kong.write(encodeRequest(9, 'plugin.StartInstance', [{ Name: 'packed', Config: '{}' }]));
    await until(async () => ended || answers.some((answer) => (answer as unknown[])[1] === 9), 'the end');
    other.close();
    kong.destroy();
    expect(answers).toEqual([
      [1, 7, expect.stringContaining('No plugin instance'), null],
      [2, 'kong-ts.farewell', expect.any(String)],
    ]);
  });
});

describe('a supervisor that is killed', { timeout: 120_000 }, () => {
  it('leaves the ids that Kong has to the next one, over both protocols', async () => {
    const first = await bench.serve(['recording', 'packed'], '--workers', '1').ready();
    const file = join(bench.folder, 'records');
    const kong = client(first.socket);
    kong.results['kong.log.serialize'] = 'a';
    const id = await kong.instance('recording', { file });
    const before = new PackedConnection(first.socket);
    const { result } = await before.call('plugin.StartInstance', { Name: 'packed', Config: '{}' });
    const packed = (result as { Id: number }).Id;
    first.kill('SIGKILL');
    await first.exited;
    const second = await bench.serve(['recording', 'packed'], '--workers', '1').ready();
    expect((await kong.handle(id, 'log')).calls).toEqual(['kong.log.serialize']);
    const after = new PackedConnection(second.socket);
    const event = await after.call('plugin.HandleEvent', { InstanceId: packed, EventName: 'access' });
    expect(event.error).toBe(null);
    expect(await second.status()).toMatchObject({ instances: 2, recalledInstances: 2, unknownInstances: 0 });
    after.close();
    before.close();
  });
});

describe('a takeover', { timeout: 120_000 }, () => {
  it('of a MsgPack:1 server leaves every id known', async () => {
    const first = await bench.serve(['packed'], '--workers', '2').ready();
    const before = new PackedConnection(first.socket);
    const ids: number[] = [];
    for (let count = 0; count < 50; count++) {
      const config = JSON.stringify({ __plugin_id: `p${String(count)}` });
      const { result } = await before.call('plugin.StartInstance', { Name: 'packed', Config: config });
      ids.push((result as { Id: number }).Id);
    }
    const second = bench.serve(['packed'], '--workers', '2');
    await second.logged('listening');
    const after = new PackedConnection(second.socket);
    for (const InstanceId of ids) {
      const { error } = await after.call('plugin.HandleEvent', { InstanceId, EventName: 'access' });
      expect(error).toBe(null);
    }
    const { error } = await after.call('plugin.HandleEvent', { InstanceId: 1, EventName: 'access' });
    expect(error).toBe('No plugin instance #1');
    // Until the control socket is the second one's, too.
    await until(async () => (await second.status().catch(() => null))?.unknownInstances === 1, 'the count');
    after.close();
    before.close();
  });

  it('by a server that loads slowly stalls nobody', async () => {
    const first = await bench.serve(['slow'], '--workers', '1').ready();
    const kong = client(first.socket);
    const load = new Load(2, async () => {
      await kong.event('slow', {}, 'access');
      // Kong's new nginx worker has an empty pool.
      kong.forgetConnections();
    });
    const gate = closedGate();
    vi.stubEnv('SLOW_PLUGIN_GATE', gate);
    const second = bench.serve(['slow'], '--workers', '1');
    await second.logged('a live server has the socket');
    const before = load.done;
    await until(async () => load.done > before + 100, 'events while the second one loads');
    open(gate);
    expect((await second.logged('listening'))['replaced']).toBe('a live server');
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(await first.exited).toEqual({ code: 0, signal: null });
  });

  it.each([['0'], ['2']])('does not happen where nothing loads (--workers %s)', async (workers) => {
    const first = await bench.serve(['steady'], '--workers', '1').ready();
    const second = bench.serve(['broken'], '--workers', workers);
    expect(await second.exited).toEqual({ code: 1, signal: null });
    const said = second.stderr + second.log.map(({ message }) => message).join('\n');
    expect(said).toContain('it is not taken over');
    expect((await client(first.socket).event('steady', {}, 'access')).calls).toHaveLength(2);
    expect((await first.status()).state).toBe('running');
  });

  it('happens at once when the live server goes before the new one can serve', async () => {
    const first = await bench.serve(['slow'], '--workers', '1').ready();
    const gate = closedGate();
    vi.stubEnv('SLOW_PLUGIN_GATE', gate);
    const second = bench.serve(['slow'], '--workers', '1');
    await second.logged('a live server has the socket');
    first.kill('SIGKILL');
    await second.logged('listening');
    open(gate);
    expect((await client(second.socket).event('slow', {}, 'access')).calls).toHaveLength(1);
  });
});

describe('a stop', { timeout: 120_000 }, () => {
  it.each([['0'], ['1']])('listens until the process has ended (--workers %s)', async (workers) => {
    const first = await bench.serve(['steady'], '--workers', workers).ready();
    const kong = client(first.socket);
    const gate = closedGate();
    const slow = kong.event('steady', { gate }, 'access');
    await until(async () => kong.answered > 0, 'the first call of the slow event');
    first.kill('SIGTERM');
    await first.logged('draining');
    const late = connect(first.socket);
    late.write('00000000');
    const seen = new Promise((resolve) => {
      late.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      late.once('end', () => resolve('closed'));
      late.resume();
    });
    expect(first.running).toBe(true);
    open(gate);
    expect((await slow).calls).toHaveLength(2);
    expect(await seen).toBe('closed');
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(existsSync(first.socket)).toBe(false);
  });

  it.each([['0'], ['1']])('answers while plugins flush (--workers %s)', async (workers) => {
    const first = await bench.serve(['flushing', 'packed'], '--workers', workers).ready();
    const kong = client(first.socket);
    const gate = closedGate();
    await kong.event('flushing', { file: join(bench.folder, 'flushed'), gate }, 'access');
    kong.forgetConnections();
    first.kill('SIGTERM');
    await until(async () => existsSync(`${gate}.waits`), 'the flush');
    const id = await kong.start('flushing', { file: join(bench.folder, 'flushed') });
    const packed = new PackedConnection(first.socket);
    const { error, result } = await packed.call('plugin.StartInstance', { Name: 'packed', Config: '{}' });
    expect([error, result]).toEqual([null, expect.objectContaining({ Name: 'packed', Config: {} })]);
    const handle = { InstanceId: (result as { Id: number }).Id, EventName: 'access' };
    const event = packed.call('plugin.HandleEvent', handle, true);
    // It waits as long as another server may follow.
    expect(await Promise.race([event, kong.start('flushing', {})])).toEqual(expect.any(Number));
    open(gate);
    expect((await event).error).toMatch(/No plugin instance/);
    expect(await first.exited).toEqual({ code: 0, signal: null });
    packed.close();
    const second = await bench.serve(['flushing'], '--workers', '1').ready();
    await client(second.socket).handle(id, 'access');
    expect((await second.status()).unknownInstances).toBe(0);
  });

  it.each([
    ['has gone', '10', 'did not finish in time'],
    ['stays', '0.5', 'did not flush in time'],
  ])('waits once at most for an event that Kong steps no more, where Kong %s', async (how, limit, line) => {
    const server = await bench.serve(['packed'], '--workers', '1', '--drain-timeout', limit).ready();
    const packed = new PackedConnection(server.socket);
    const { result } = await packed.call('plugin.StartInstance', { Name: 'packed', Config: '{}' });
    const handle = { InstanceId: (result as { Id: number }).Id, EventName: 'access' };
    const { result: word } = await packed.call('plugin.HandleEvent', handle);
    expect(word).toMatchObject({ Data: { Method: 'kong.request.get_method' } });
    if (how === 'has gone') packed.close();
    server.kill('SIGTERM');
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(server.log.filter(({ message }) => message.includes(line))).toEqual([]);
    packed.close();
  });

  it('has Kong begin anew what does not finish in time, over both protocols', async () => {
    const first = await bench.serve(['steady', 'packed'], '--workers', '1', '--drain-timeout', '0.5').ready();
    const gate = closedGate();
    const asked = [client(first.socket), new KongClient(first.socket, 'msgpack')];
    clients.push(...asked);
    const events = asked.map((kong) =>
      kong.event(kong.protocol === 'msgpack' ? 'packed' : 'steady', { gate }, 'access'),
    );
    await until(
      async () => waiting(gate).length === 1 && asked.every(({ answered }) => answered > 0),
      'both handlers',
    );
    const second = bench.serve(['steady', 'packed'], '--workers', '1');
    await second.logged('listening');
    first.kill('SIGTERM');
    await first.logged('are given up');
    open(gate);
    for (const { calls } of await Promise.all(events)) expect(calls).toHaveLength(2);
    expect(asked.map(({ skipped, retries }) => [skipped, retries])).toEqual([
      [[], 1],
      [[], 1],
    ]);
  });

  it('sends those that wait to the server that follows', async () => {
    const first = await bench.serve(['steady'], '--workers', '1').ready();
    const kong = client(first.socket);
    await kong.instance('steady', {});
    const gate = closedGate();
    const slow = kong.event('steady', { gate }, 'access');
    await until(async () => kong.answered > 0, 'the first call of the slow event');
    first.kill('SIGTERM');
    await first.logged('draining');
    // On a new connection, with an instance that Kong has.
    kong.forgetConnections();
    const late = kong.event('steady', {}, 'access');
    const second = bench.serve(['steady'], '--workers', '1');
    await second.logged('listening');
    expect((await late).calls).toHaveLength(2);
    expect(first.running).toBe(true);
    open(gate);
    await slow;
  });
});
