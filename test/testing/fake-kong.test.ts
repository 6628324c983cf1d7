import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/server/index.ts';
import { startServer } from '../../src/server/index.ts';
import type { TestPluginServer } from '../../src/testing/index.ts';
import { FakeKong, startPluginServer } from '../../src/testing/index.ts';
import { FrameDecoder } from '../../src/wire/protobuf/framing.ts';
import { decodeRpcCall } from '../../src/wire/protobuf/server-side.ts';
import { MessageDecoder } from '../../src/wire/msgpack/framing.ts';
import { readMessage } from '../../src/wire/msgpack/messages.ts';
import { processesWith } from '../support/processes.ts';

const cwd = fileURLToPath(new URL('plugins', import.meta.url));
const named = { request: { headers: { 'x-name': 'Ada' } } };

describe('a fake Kong and a server in this process', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-fake-kong-'));
  const socket = path.join(folder, 's');
  let server: RunningServer;

  beforeAll(async () => {
    server = await startServer({ plugins: ['./greeter.ts', './greeter-msgpack.ts'], cwd, socket });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('speak ProtoBuf:1 as Kong does', async () => {
    using kong = new FakeKong({ socket, protocol: 'protobuf' });
    const options = { config: { greeting: 'hey' }, scope: { route: 'r1' }, instanceName: 'mine' };
    const instance = await kong.startInstance('greeter', options);
    const result = await instance.request(named).run();
    expect(result).toMatchObject({
      exit: null,
      failure: null,
      roundTrips: 2,
      upstream: { headers: { 'x-greeting': 'hey Ada' } },
    });
    // Nobody told the fake Kong which phases the plugin has; a route's configuration has no rewrite.
    expect(result.phases.map(({ phase }) => phase)).toEqual(['access', 'response', 'log']);
    expect(result.logs.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^greeted by /),
      'status 200',
    ]);
    expect((await instance.request().access()).exit).toMatchObject({
      status: 401,
      json: { message: 'who are you?' },
    });

    const [head, body] = kong.wire.filter(({ from }) => from === 'kong');
    expect(head?.bytes).toHaveLength(4);
    const [frame] = new FrameDecoder().push(
      Buffer.concat([head, body].flatMap((chunk) => (chunk === undefined ? [] : [chunk.bytes]))),
    );
    const { command } = decodeRpcCall(frame as Buffer);
    expect(command).toMatchObject({ type: 'startInstance', name: 'greeter' });
    const config = 'config' in command ? (JSON.parse(String(command.config)) as Record<string, unknown>) : {};
    expect(config).toEqual({
      greeting: 'hey',
      route_id: 'r1',
      plugin_instance_name: 'mine',
      __plugin_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      __ws_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      __key__: expect.stringContaining('plugins:greeter:r1') as string,
      __seq__: 1,
    });
    // An exit ends its connection, as in Kong; one that is free is used again.
    expect(new Set(kong.wire.map(({ connection }) => connection)).size).toBe(1);
    await instance.request(named).access();
    expect(new Set(kong.wire.map(({ connection }) => connection)).size).toBe(2);
  });

  it('speak MsgPack:1 as Kong does', async () => {
    using kong = new FakeKong({ socket, protocol: 'msgpack' });
    const instance = await kong.startInstance({ name: 'greeter-msgpack', phases: ['access'] });
    const result = await instance.request(named).run();
    expect(result).toMatchObject({
      failure: null,
      roundTrips: 3,
      upstream: { headers: { 'x-greeting': 'hi Ada' } },
    });
    const decoder = new MessageDecoder();
    const requests = kong.wire
      .filter(({ from }) => from === 'kong')
      .flatMap(({ bytes }) => decoder.push(bytes))
      .map((message) => readMessage(message));
    expect(requests.map((request) => ('method' in request ? request.method : null))).toEqual([
      'plugin.StartInstance',
      'plugin.HandleEvent',
      'plugin.Step',
      'plugin.Step',
      'plugin.Step',
    ]);
  });

  it('take answers from the test', async () => {
    using kong = new FakeKong({ socket, protocol: 'protobuf' });
    const instance = await kong.startInstance('greeter');
    const override = { 'request.getHeader': () => 'Bob' };
    expect((await instance.request({ override }).access()).upstream?.headers).toMatchObject({
      'x-greeting': 'hello Bob',
    });
    expect(() => instance.request({ override: { 'response.error': () => 1 } as object })).toThrow(
      /cannot be overridden/,
    );
  });

  it('change a configuration: a new instance, then the old one is closed', async () => {
    using kong = new FakeKong({ socket, protocol: 'protobuf' });
    const instance = await kong.startInstance('greeter', { config: { greeting: 'one' } });
    const first = await instance.id;
    const before = server.status();
    await instance.configure({ greeting: 'two' });
    expect(await instance.id).not.toBe(first);
    expect((await instance.request(named).access()).upstream?.headers).toMatchObject({
      'x-greeting': 'two Ada',
    });
    await instance.close();
    expect(before.failures).toEqual([]);
  });

  it('speak both protocols on one connection, as plugins with a socket in common do', async () => {
    using kong = new FakeKong({ socket, protocol: 'protobuf' });
    const one = await kong.startInstance('greeter');
    const two = await kong.startInstance('greeter-msgpack', { protocol: 'msgpack' });
    for (let round = 0; round < 2; round++) {
      expect((await one.request(named).run()).failure).toBeNull();
      expect((await two.request(named).run()).upstream?.headers).toMatchObject({ 'x-greeting': 'hi Ada' });
    }
    expect(new Set(kong.wire.map(({ connection }) => connection))).toEqual(new Set([0]));
  });

  it('keep several configurations of a plugin apart', async () => {
    using kong = new FakeKong({ socket, protocol: 'protobuf' });
    const [one, two] = await Promise.all(
      ['one', 'two'].map((greeting) => kong.startInstance('greeter', { config: { greeting } })),
    );
    const ids = await Promise.all([one?.id, two?.id]);
    expect(new Set(ids).size).toBe(2);
    await two?.close();
    expect((await one?.request(named).access())?.upstream?.headers).toMatchObject({
      'x-greeting': 'one Ada',
    });
    expect(await one?.id).toBe(ids[0]);
  });

  it('fail with a reason', async () => {
    using kong = new FakeKong({ socket, protocol: 'msgpack' });
    // Kong is answered, whatever the name: what fails is each request.
    const unknown = await kong.startInstance('unknown');
    expect(await unknown.request().access()).toMatchObject({ exit: { status: 500 } });
    using nobody = new FakeKong({ socket: path.join(folder, 'none'), protocol: 'protobuf' });
    await expect(nobody.startInstance('greeter')).rejects.toThrow(/no such file or directory/);
    expect(() => new FakeKong({ socket, protocol: 'ProtoBuf:1' as never })).toThrow(
      /"protobuf" or "msgpack"/,
    );
    expect(() => new FakeKong({ protocol: 'protobuf' } as never)).toThrow(/needs the path of a socket/);
    kong.close();
    await expect(kong.startInstance('greeter-msgpack')).rejects.toThrow(/is closed/);
  });
});

describe('a server in a process of its own', () => {
  let server: TestPluginServer;

  beforeAll(async () => {
    server = await startPluginServer({ plugins: ['./greeter.ts', './greeter-msgpack.ts'], cwd });
  });
  afterAll(async () => {
    await server.stop();
    expect(processesWith(server.socket)).toEqual([]);
  });

  it('serves plugins of both protocols, configured as Kong does', async () => {
    const instance = await server.startInstance('greeter');
    expect(instance.config).toEqual({ greeting: 'hello' });
    expect(instance.phases).toEqual(['access', 'log']);
    const result = await instance.request({ ...named, response: { status: 204 } }).run();
    expect(result.upstream?.headers).toMatchObject({ 'x-greeting': 'hello Ada' });
    expect(result.logs.at(-1)?.message).toBe('status 204');
    const other = await server.startInstance('greeter-msgpack');
    expect((await other.request(named).run()).upstream?.headers).toMatchObject({ 'x-greeting': 'hi Ada' });
    await expect(server.startInstance('greeter', { config: { greting: 'x' } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('config.greting: unknown field') as string,
    });
    await expect(server.startInstance('nobody')).rejects.toThrow(/It serves greeter and greeter-msgpack/);
    expect(() => server.kong()).toThrow(/different protocols/);
  });

  it('may crash: Kong starts the instance anew on the next server', async () => {
    await using crashing = await startPluginServer({ plugins: ['./greeter.ts'], cwd, workers: 0 });
    const instance = await crashing.startInstance('greeter');
    await instance.request(named).access();
    await crashing.kill();
    const failed = await instance.request(named).access();
    expect(failed).toMatchObject({
      exit: { status: 500, by: 'kong' },
      failure: expect.any(String) as string,
    });
  });

  it('that does not come up says what it printed', async () => {
    const start = startPluginServer({ plugins: ['./greeter.ts'], cwd, args: ['--workers', 'many'] });
    await expect(start).rejects.toMatchObject({
      code: 'PLUGIN_SERVER_UNREACHABLE',
      message: expect.stringMatching(/ended at once: .*workers/s) as string,
    });
  });
});

describe('a server that forgets', () => {
  it.each(['greeter', 'greeter-msgpack'])('is given the instance of %s again', async (plugin) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-forgets-'));
    const socket = path.join(folder, 's');
    const options = { plugins: [`./${plugin}.ts`], cwd, socket };
    const first = await startServer(options);
    using kong = new FakeKong({ socket, protocol: plugin === 'greeter' ? 'protobuf' : 'msgpack' });
    const instance = await kong.startInstance(plugin);
    await first.stop();
    const second = await startServer(options);
    const result = await instance.request(named).access();
    expect(result).toMatchObject({ exit: null, failure: null });
    expect(result.upstream?.headers).toHaveProperty('x-greeting');
    expect(result.logs).toContainEqual(expect.objectContaining({ level: 'warn', from: 'kong' }));
    await second.stop();
    rmSync(folder, { recursive: true, force: true });
  });
});
