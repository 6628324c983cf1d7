import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KongTsError } from '../../src/base/errors.ts';
import { silentLog } from '../../src/event-hooks/log.ts';
import { parseServeOptions } from '../../src/event-hooks/serve/options.ts';
import { serveDispatcher } from '../../src/event-hooks/serve/serve.ts';
import type { Served } from '../../src/event-hooks/serve/serve.ts';
import { EventHooks, connectEventHooks } from '../../src/event-hooks/index.ts';
import type { ConnectOptions } from '../../src/event-hooks/index.ts';
import { DispatcherProcess } from './support/process.ts';
import { Receiver } from './support/receiver.ts';
import { tempDir } from './support/setup.ts';

async function start(args: string[], env: Record<string, string> = {}): Promise<DispatcherProcess> {
  const dispatcher = await DispatcherProcess.start(args, env);
  onTestFinished(() => dispatcher.end('SIGKILL').then(() => undefined));
  return dispatcher;
}
async function hubTo(options: ConnectOptions): Promise<EventHooks> {
  const hub = new EventHooks();
  const transport = await connectEventHooks({ maxBackoffMs: 50, ...options });
  hub.attachTransport(transport);
  onTestFinished(() => transport.close());
  return hub;
}
async function receive(): Promise<Receiver> {
  const receiver = await Receiver.start();
  onTestFinished(() => receiver.close());
  return receiver;
}
/** In this process: what needs none of its own. */
async function serve(args: string[], env: Record<string, string> = {}): Promise<Served> {
  const options = parseServeOptions(args, env);
  const served = await serveDispatcher({ ...options, dispatcher: { ...options.dispatcher, log: silentLog } });
  onTestFinished(() => served.stop());
  return served;
}
const example = fileURLToPath(new URL('../../examples/event-hooks-client/client.js', import.meta.url));
const run = promisify(execFile);

describe('the dispatcher as a process', () => {
  it('fires once per event of several emitters, a foreign client among them; new hooks work at once', async () => {
    const folder = tempDir();
    const receiver = await receive();
    const address = `unix:${folder}/h.sock`;
    const dispatcher = await start([
      '--listen',
      address,
      '--admin',
      '127.0.0.1:0',
      '--data-dir',
      folder,
      '--allow-loopback',
    ]);
    const hubs = [await hubTo({ address }), await hubTo({ address })];
    await Promise.all(hubs.map((hub) => receiver.untilTrue(() => !hub.wants('example', 'greeting'))));
    await dispatcher.api('POST', '/event-hooks', {
      source: 'example',
      event: 'greeting',
      handler: 'webhook',
      config: { url: receiver.url('/x') },
    });
    // The answer to the POST comes when every emitter knows.
    expect(hubs.map((hub) => hub.wants('example', 'greeting'))).toEqual([true, true]);
    for (const [n, hub] of hubs.entries()) hub.emit('example', 'greeting', { n });
    const { stdout } = await run(process.execPath, [example, address]);
    expect(stdout).toContain('acknowledged batch 1');
    await receiver.until('/x', 5);
    expect(
      receiver
        .bodies('/x')
        .map((body) => body.n)
        .sort(),
    ).toEqual([0, 1, 1, 2, 3]);
    const { body } = await dispatcher.api<{ data: { fields: string[] } }>(
      'GET',
      '/event-hooks/sources/example/greeting',
    );
    expect(body.data.fields).toEqual(['name', 'n']);
    expect(await dispatcher.end()).toBe(0);
  });

  it('keeps events while it is away, in bounds, and counts what it drops', async () => {
    const folder = tempDir();
    const receiver = await receive();
    const args = [
      '--listen',
      `unix:${folder}/h.sock`,
      '--admin',
      '127.0.0.1:0',
      '--data-dir',
      folder,
      '--allow-loopback',
    ];
    const first = await start(args);
    await first.api('POST', '/event-hooks', {
      source: 's',
      handler: 'webhook',
      config: { url: receiver.url('/x') },
    });
    const hub = await hubTo({ address: `unix:${folder}/h.sock`, maxBuffered: 10 });
    hub.emit('s', 'e', { n: 0 });
    await hub.flush(20_000);
    await first.end('SIGKILL');
    for (let n = 1; n <= 25; n += 1) hub.emit('s', 'e', { n });
    await new Promise((resolve) => setImmediate(resolve));
    expect(hub.transport?.stats).toMatchObject({ buffered: 10, dropped: 15 });
    await start(args);
    await receiver.until('/x', 11);
    await hub.flush(20_000);
    expect(hub.transport?.stats).toMatchObject({ buffered: 0, acknowledged: 11, dropped: 15 });
  });

  it('is not needed to declare events once its transport was closed', async () => {
    const address = `unix:${tempDir()}/h.sock`;
    await serve(['--listen', address, '--admin', 'off']);
    const hub = new EventHooks();
    const transport = await connectEventHooks({ address });
    hub.attachTransport(transport);
    await expect.poll(() => transport.interest).not.toBe(null);
    await transport.close();
    expect(() => hub.publish('s', 'late', { fields: ['n'] })).not.toThrow();
  });

  it('is found again at once after it has refused many batches', async () => {
    const args = ['--listen', `unix:${tempDir()}/h.sock`, '--admin', 'off'];
    const first = await serve(args);
    await first.dispatcher.createHook({ source: 's', handler: 'log' });
    let refused = 0;
    first.dispatcher.accept = () => {
      refused += 1;
      return refused > 12
        ? new Promise(() => undefined)
        : Promise.reject(new KongTsError('STORE_FAILED', 'the disk is full'));
    };
    const hub = await hubTo({ address: args[1] ?? '' });
    await expect.poll(() => hub.wants('s', 'e')).toBe(true);
    for (let n = 0; n < 12; n += 1) {
      hub.emit('s', 'e', { n });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await expect.poll(() => refused).toBeGreaterThanOrEqual(12);
    await first.stop();
    const second = await serve(args);
    await second.dispatcher.createHook({ source: 's', handler: 'log' });
    await hub.flush(20_000);
    expect(hub.transport?.stats).toMatchObject({ buffered: 0, acknowledged: 12 });
  });

  it('on TCP asks for a token, and refuses to start without one', async () => {
    await expect(serve(['--listen', '127.0.0.1:0', '--admin', 'off'])).rejects.toThrow(
      /need a token or mutual TLS/,
    );
    const served = await serve(['--listen', '127.0.0.1:0', '--admin', 'off'], { KONG_TS_HOOKS_TOKEN: 't' });
    await served.dispatcher.createHook({ source: 's', handler: 'log' });
    const address = served.grpc ?? '';
    const states: string[] = [];
    await hubTo({
      address,
      token: 'wrong',
      onState: (state, reason) => states.push(`${state} ${reason}`),
    });
    const good = await hubTo({ address, token: 't' });
    good.emit('s', 'e', { n: 1 });
    await good.flush(20_000);
    expect(good.transport?.stats.acknowledged).toBe(1);
    await expect.poll(() => states.join()).toMatch(/away .*token is missing or wrong/);
  });

  it('a taken port and a socket that is in use are named', async () => {
    const receiver = await receive();
    const port = String(receiver.port);
    await expect(DispatcherProcess.start(['--admin', `127.0.0.1:${port}`])).rejects.toThrow(
      new RegExp(`127\\.0\\.0\\.1:${port}.*--event-hooks-admin`),
    );
    const address = `unix:${tempDir()}/h.sock`;
    await serve(['--listen', address, '--admin', 'off']);
    await expect(serve(['--listen', address, '--admin', 'off'])).rejects.toThrow(/has a listener already/);
  });

  it('leaves nothing behind when it is told to end while it starts', async () => {
    const folder = tempDir();
    const args = ['--listen', `unix:${folder}/h.sock`, '--admin', `unix:${folder}/a.sock`];
    const starting = start(args);
    const watch = setInterval(() => {
      if (!existsSync(`${folder}/h.sock`)) return;
      clearInterval(watch);
      DispatcherProcess.last?.kill('SIGTERM');
    }, 1);
    const child = (await starting).child;
    await new Promise((resolve) => {
      if (child.exitCode === null && child.signalCode === null) child.once('exit', resolve);
      else resolve(null);
    });
    expect([child.exitCode, child.signalCode]).toEqual([0, null]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('two on one file: what one was told, the other one knows with its next answer', async () => {
    const folder = tempDir();
    const receiver = await receive();
    const args = (name: string) => [
      ...['--listen', `unix:${folder}/${name}.sock`, '--admin', '127.0.0.1:0'],
      ...['--data-dir', folder, '--allow-loopback'],
    ];
    const [first, second] = [await start(args('a')), await start(args('b'))];
    for (const [teller, other, source] of [
      [first, second, 'by-a'],
      [second, first, 'by-b'],
    ] as const) {
      for (let n = 0; n < 5; n += 1) {
        const { body: hook } = await teller.api<{ id: string }>('POST', '/event-hooks', {
          source: `${source}-${String(n)}`,
          handler: 'webhook',
          config: { url: receiver.url(`/${source}`) },
        });
        const event = { source: `${source}-${String(n)}`, event: 'e', data: { n } };
        expect((await other.api('POST', '/event-hooks/events', { events: [event] })).status).toBe(202);
        expect((await other.api('GET', `/event-hooks/${hook.id}`)).status).toBe(200);
        const stored = await other.api<{ data: { source: string }[] }>(
          'GET',
          `/event-hooks/${hook.id}/deliveries`,
        );
        expect(stored.body.data.map((delivery) => delivery.source)).toContain(event.source);
        await teller.api('DELETE', `/event-hooks/${hook.id}`);
        expect((await other.api('GET', `/event-hooks/${hook.id}`)).status).toBe(404);
      }
    }
  });

  it('two on one file: one delivers, the other takes over, nothing is lost or doubled', async () => {
    const folder = tempDir();
    const receiver = await receive();
    const args = (name: string) => [
      '--listen',
      `unix:${folder}/${name}.sock`,
      '--admin',
      '127.0.0.1:0',
      '--data-dir',
      folder,
      '--allow-loopback',
    ];
    const first = await start(args('a'));
    await first.api('POST', '/event-hooks', {
      source: 's',
      handler: 'webhook',
      config: { url: receiver.url('/x') },
    });
    const second = await start(args('b'));
    const status = async (one: DispatcherProcess) =>
      (await one.api<{ delivering: boolean }>('GET', '/event-hooks/status')).body.delivering;
    expect([await status(first), await status(second)]).toEqual([true, false]);
    const hubs = [
      await hubTo({ address: `unix:${folder}/a.sock` }),
      await hubTo({ address: `unix:${folder}/b.sock` }),
    ];
    let n = 0;
    const emit = (): void => {
      for (const hub of hubs) for (let i = 0; i < 50; i += 1) hub.emit('s', 'e', { n: n++ });
    };
    emit();
    await receiver.until('/x', 100);
    emit();
    await hubs[0]?.flush(20_000);
    hubs.shift();
    expect(await first.end()).toBe(0);
    emit();
    await receiver.until('/x', 250);
    expect(
      receiver
        .bodies('/x')
        .map((body) => body.n)
        .sort((x, y) => Number(x) - Number(y)),
    ).toEqual(Array.from({ length: 250 }, (_, i) => i));
    expect(await status(second)).toBe(true);
  });
});
