import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ServiceError } from '@grpc/grpc-js';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PassThrough } from '../../src/kong-watch/front/pass-through.ts';
import { Engine } from '../../src/event-hooks/delivery/engine.ts';
import { grpcTarget } from '../../src/event-hooks/grpc/address.ts';
import { serveGrpc } from '../../src/event-hooks/grpc/server.ts';
import { eventHooksService } from '../../src/event-hooks/grpc/service.ts';
import { silentLog } from '../../src/event-hooks/log.ts';
import type { Hook } from '../../src/event-hooks/model/hook.ts';
import { openStore, storeOf } from '../../src/event-hooks/store/open.ts';
import { compileDispatcherOptions } from '../../src/event-hooks/dispatcher/options.ts';
import type { Notice } from '../../src/event-hooks/dispatcher/feed.ts';
import type { NewEvent } from '../../src/event-hooks/store/types.ts';
import { ManualClock } from '../event-hooks/support/clock.ts';
import { bench, tempDir } from '../event-hooks/support/setup.ts';

const data = 'x'.repeat(310_000);
const notice = (at: number): Notice => ({
  type: 'event',
  id: `e${String(at)}`,
  source: 's',
  event: 'e',
  at,
  data,
  hooks: 0,
});

describe('who reads nothing', () => {
  it('of 3.1 GB for a gRPC subscriber at most 4 MiB wait, then it is told that it reads too slowly', async () => {
    const b = await bench();
    const handle = await serveGrpc(b.dispatcher, {
      address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
      token: 't',
    });
    onTestFinished(() => handle.close());
    const client = new Client(grpcTarget(handle.address), credentials.createInsecure());
    onTestFinished(() => {
      client.close();
    });
    const { path, requestSerialize, responseDeserialize } = eventHooksService().subscribe;
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer t');
    const call = client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { sources: [], withoutEvents: false, withoutDeliveries: false },
      metadata,
    );
    const ended = new Promise<ServiceError>((resolve) => call.on('error', resolve as (error: Error) => void));
    call.pause();
    await b.receiver.untilTrue(() => b.dispatcher.feed.watched);
    let held = 0;
    for (let at = 0; at < 10_000 && b.dispatcher.feed.watched; at += 1) {
      b.dispatcher.feed.notify(notice(at));
      held += data.length;
    }
    expect(b.dispatcher.feed.watched).toBe(false);
    expect(held).toBeLessThan(4 * 1024 * 1024 + 2 * data.length);
    call.resume();
    expect((await ended).details).toContain('reads too slowly');
  });

  it('of a tail over HTTP costs at most 4 MiB and what its socket takes', async () => {
    const b = await bench();
    await b.admin.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect((b.admin.server.address() as AddressInfo).port, '127.0.0.1');
    onTestFinished(() => {
      socket.destroy();
    });
    socket.on('error', () => undefined).pause();
    socket.write('GET /event-hooks/tail HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await b.receiver.untilTrue(() => b.dispatcher.feed.watched);
    let held = 0;
    for (let at = 0; at < 10_000 && b.dispatcher.feed.watched; at += 1) {
      b.dispatcher.feed.notify(notice(at));
      held += data.length;
      if (at % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(b.dispatcher.feed.watched).toBe(false);
    // The system's buffers of a connection on this machine included.
    expect(held).toBeLessThan(64 * 1024 * 1024);
  });
});

describe('many who read nothing', () => {
  /** Bytes in buffers that are still needed. */
  const held = (): number => {
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  };
  const collectGarbage = (): void => {
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
  };

  it('of tails over HTTP cost 64 MiB together, and those that read get everything', async () => {
    const b = await bench();
    await b.admin.listen({ host: '127.0.0.1', port: 0 });
    const { port } = b.admin.server.address() as AddressInfo;
    let watching = 0;
    let cut = 0;
    const tail = (): Socket => {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      onTestFinished(() => void socket.destroy());
      socket.write('GET /event-hooks/tail HTTP/1.1\r\nHost: localhost\r\n\r\n');
      return socket;
    };
    b.admin.server.on('connection', (socket: Socket) => {
      watching += 1;
      socket.once('close', () => (cut += 1));
    });
    const silent = Array.from({ length: 30 }, () => tail().pause());
    let read = 0;
    tail().on('data', (bytes) => (read += bytes.length));
    await expect.poll(() => [watching, read > 0]).toEqual([31, true]);
    const before = held();
    let sent = 0;
    for (; sent < 400 && cut === 0; sent += 1) {
      b.dispatcher.feed.notify(notice(sent));
      // The one that reads keeps up.
      await expect.poll(() => read, { interval: 1 }).toBeGreaterThan(data.length * (sent + 1));
    }
    expect(cut).toBeGreaterThan(0);
    // One notice of each on its way through the response besides, and what is read ahead.
    expect(held() - before).toBeLessThan(64 * 1024 * 1024 + 3 * silent.length * data.length);
    for (const socket of silent) socket.destroy();
    await expect.poll(() => cut).toBe(30);
    // A destroyed response lets go of its bytes a moment later.
    await expect.poll(() => held() - before).toBeLessThan(8 * 1024 * 1024);
  });
});

describe('targets that do not answer', () => {
  const hookOf = (id: string): Hook =>
    ({ id, source: 's', event: null, handler: 'log', config: {}, created_at: 0, updated_at: 0 }) as Hook;

  it.each(['in memory', 'on disk'])(
    'hold what all hooks together may, and everything arrives afterwards: %s',
    async (where) => {
      const clock = new ManualClock();
      const store = await openStore(
        storeOf(where === 'on disk' ? tempDir() : null),
        compileDispatcherOptions({}),
      );
      onTestFinished(() => store.close());
      const hooks = Array.from({ length: 20 }, (_, at) => hookOf(`h${String(at).padStart(2, '0')}`));
      for (const hook of hooks) await store.saveHook(hook);
      let open = false;
      let most = 0;
      let held = 0;
      const arrived = new Map<string, string[]>();
      const waiting: (() => void)[] = [];
      const size = 10_000;
      const engine = new Engine({
        store,
        clock,
        log: silentLog,
        createHandler: ({ id }) => ({
          target: null,
          attempt: async ({ eventId }) => {
            if (!open) await new Promise<void>((resolve) => waiting.push(resolve));
            arrived.set(id, [...(arrived.get(id) ?? []), eventId]);
            return { ok: true, status: 200, error: null, response: null };
          },
          test: async () => true,
          close: async () => undefined,
        }),
        record: (result) => {
          void store.commit([], [result]).then(() => {
            engine.stored([result]);
          });
        },
        observe: () => undefined,
        fired: () => undefined,
        onGone: () => undefined,
        limits: { queueLength: 1000, queueSize: 300_000, concurrency: 2 },
        totalSize: 1_000_000,
        targetConcurrency: 100,
        targetRate: null,
      });
      const measure = (): void => {
        held = engine.load().reduce((sum, { queued, inFlight }) => sum + (queued + inFlight) * size, 0);
        most = Math.max(most, held);
      };
      engine.activate(
        clock.now() + 1_000_000,
        (await store.lease('me', clock.now(), 1_000_000, { roles: [], groups: [] })).epochs,
      );
      engine.setHooks(hooks);
      const ids = Array.from({ length: 60 }, (_, at) => `event-${String(at).padStart(2, '0')}`);
      for (const id of ids) {
        const event: NewEvent = {
          id,
          source: 's',
          event: 'e',
          at: clock.now(),
          payload: `{${' '.repeat(size - 2)}}`,
          hooks: hooks.map((hook) => hook.id),
        };
        engine.offer([event], await store.commit([event], []));
        await new Promise((resolve) => setImmediate(resolve));
        measure();
      }
      expect(held).toBeGreaterThan(900_000);
      // One delivery of each hook beyond the limit.
      expect(most).toBeLessThanOrEqual(1_000_000 + hooks.length * size);
      open = true;
      for (const resolve of waiting) resolve();
      for (let turn = 0; turn < 5000 && [...arrived.values()].flat().length < 1200; turn += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        measure();
      }
      expect(most).toBeLessThanOrEqual(1_000_000 + hooks.length * size);
      for (const { id } of hooks) expect([...new Set(arrived.get(id))].sort()).toEqual(ids);
      expect([...arrived.values()].flat()).toHaveLength(1200);
      await engine.stop(1000);
      expect(engine.heldSize).toBe(0);
    },
  );

  it.each(['in memory', 'on disk'])('are read from the store up to a size: %s', async (where) => {
    const store = await openStore(
      storeOf(where === 'on disk' ? tempDir() : null),
      compileDispatcherOptions({}),
    );
    onTestFinished(() => store.close());
    const events = Array.from({ length: 50 }, (_, at): NewEvent => ({
      id: `e${String(at)}`,
      source: 's',
      event: 'e',
      at: 1,
      payload: `{${' '.repeat(998)}}`,
      hooks: ['h'],
    }));
    await store.saveHook(hookOf('h'));
    await store.lease('x', 0, 500, { roles: [], groups: [] });
    const seqs = await store.commit(events, []);
    expect(await store.pending('h', 0, 1000, 2500)).toHaveLength(3);
    expect(await store.pending('h', 0, 1000, 1)).toHaveLength(1);
    expect(await store.pending('h', 0, 1000)).toHaveLength(50);
    await store.commit(
      [],
      seqs.map((seq) => ({
        hookId: 'h',
        seq: seq ?? 0,
        epoch: 1,
        state: 'waiting' as const,
        attempts: 1,
        due: 5,
        finishedAt: 2,
        status: 500,
        latencyMs: 1,
        error: null,
        response: null,
      })),
    );
    expect(await store.takeDue('h', 1, 9, 100, 2500)).toHaveLength(3);
    expect(await store.takeDue('h', 1, 9, 100)).toHaveLength(47);
  });
});

describe('between Kong and a client of the front', () => {
  async function listen(server: Server): Promise<number> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return (server.address() as AddressInfo).port;
  }
  async function front(kong: number): Promise<number> {
    const pass = new PassThrough({
      target: new URL(`http://127.0.0.1:${String(kong)}`),
      lendLoginTo: null,
      onWrite: () => undefined,
    });
    onTestFinished(() => pass.close());
    const server = createHttpServer((request, response) => pass.handle(request, response));
    onTestFinished(() => server.closeAllConnections());
    return listen(server);
  }
  const piece = Buffer.alloc(256 * 1024, 'x');
  /** What this machine's buffers of two connections take, and what Node reads ahead, with much to spare. */
  const most = 40 * 1024 * 1024;

  /** Writes without an end, as far as the other side takes it; how many bytes have left when nothing does any more. */
  async function flood(socket: Socket, written: () => number): Promise<number> {
    const more = (): void => {
      while (!socket.destroyed && written() < 4 * most && socket.write(piece));
    };
    socket.on('drain', more);
    more();
    for (let before = -1; before !== written();) {
      before = written();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return written();
  }

  it('a client that reads nothing of a large answer stops Kong, and memory stays as it is', async () => {
    const taken: Promise<number>[] = [];
    const kong = createServer((socket) => {
      onTestFinished(() => void socket.destroy());
      socket
        .on('error', () => undefined)
        .once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n');
          taken.push(flood(socket, () => socket.bytesWritten - socket.writableLength));
        });
    });
    const client = connect(await front(await listen(kong)), '127.0.0.1');
    onTestFinished(() => void client.destroy());
    client.pause();
    const before = process.memoryUsage().rss;
    client.write('GET /services HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await expect.poll(() => taken.length, { timeout: 5000 }).toBe(1);
    expect(await taken[0]).toBeLessThan(most);
    expect(process.memoryUsage().rss - before).toBeLessThan(2 * most);
  });

  it('a Kong that reads nothing of a large body stops the client, and memory stays as it is', async () => {
    const kong = createServer((socket) => {
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => undefined).pause();
    });
    const client = connect(await front(await listen(kong)), '127.0.0.1');
    onTestFinished(() => void client.destroy());
    client.on('error', () => undefined);
    const before = process.memoryUsage().rss;
    client.write('PUT /services/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000000\r\n\r\n');
    expect(await flood(client, () => client.bytesWritten - client.writableLength)).toBeLessThan(most);
    expect(process.memoryUsage().rss - before).toBeLessThan(2 * most);
  });
});
