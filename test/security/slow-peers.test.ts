import { createServer as createHttpServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAdmin } from '../../src/event-hooks/admin/server.ts';
import { createDispatcher } from '../../src/event-hooks/dispatcher/dispatcher.ts';
import { serveGrpc } from '../../src/event-hooks/grpc/server.ts';
import type { GrpcOptions } from '../../src/event-hooks/grpc/server.ts';
import type { Dispatcher } from '../../src/event-hooks/dispatcher/dispatcher.ts';
import { bounded, httpLimits } from '../../src/http/limits.ts';
import type { HttpLimits } from '../../src/http/limits.ts';
import { createFront } from '../../src/kong-watch/front/front.ts';
import { adminHandler } from '../../src/server/admin/handler.ts';
import { memoryLog } from '../event-hooks/support/setup.ts';

/** For who brings slowly. */
const bringing: HttpLimits = {
  headersTimeout: 200,
  requestTimeout: 400,
  keepAliveTimeout: 200,
  connectionsCheckingInterval: 40,
  answerTimeoutMs: 250,
};
/** For who takes slowly: a listener may be busy for a while before it reads. */
const taking: HttpLimits = { ...httpLimits, answerTimeoutMs: 1500 };
/** For a tail, on which nothing happens for longer. */
const idle: HttpLimits = { ...httpLimits, answerTimeoutMs: 200 };
/** More than what the system takes of an answer that nobody reads. */
const large = 'x'.repeat(16 * 1024 * 1024);

interface Listener {
  readonly server: Server;
  readonly port: number;
  /** Something that is answered with much. */
  readonly path: string;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

async function hooks(
  kong: number | null,
  limits: HttpLimits,
): Promise<Listener & { dispatcher: Dispatcher }> {
  const dispatcher = await createDispatcher({ log: memoryLog() });
  const watch = { lookNow: () => undefined, isCollection: () => false };
  const front = kong === null ? null : createFront(`http://127.0.0.1:${String(kong)}`, watch);
  const admin = createAdmin(dispatcher, { limits, front });
  onTestFinished(async () => {
    await admin.close();
    front?.close();
    await dispatcher.stop(0);
  });
  // A list that is long in a moment.
  admin.get('/event-hooks/large', () => large);
  const port = Number(new URL(await admin.listen({ host: '127.0.0.1', port: 0 })).port);
  return { server: admin.server, port, path: '/event-hooks/large', dispatcher };
}

const listeners: [name: string, start: (limits: HttpLimits) => Promise<Listener>][] = [
  ['event hooks alone', (limits) => hooks(null, limits)],
  ['event hooks in front of Kong', (limits) => hooks(1, limits)],
  [
    'what the front hands on',
    async (limits) => {
      const kong = await listen(createHttpServer((_request, response) => response.end(large)));
      return { ...(await hooks(kong, limits)), path: '/services' };
    },
  ],
  [
    "the server's health and metrics",
    async (limits) => {
      const source = {
        status: () => ({}) as never,
        metrics: async () => ({ type: 'text/plain', text: large }),
        reload: async () => ({}) as never,
        dump: async () => null,
        plugins: () => Promise.reject(new Error('not asked for')),
      };
      const handle = adminHandler(source, { control: false, callers: null });
      const server = bounded(createHttpServer(limits, handle), limits);
      return { server, port: await listen(server), path: '/metrics' };
    },
  ],
];

const open = (server: Server): Promise<number> =>
  new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));

/** How many connections it has accepted from now on. */
function counted(server: Server): () => number {
  let count = 0;
  server.on('connection', () => (count += 1));
  return () => count;
}

function client(port: number): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Sends the beginning, and then one byte after the other without an end. */
function drip(socket: Socket, beginning: string, rest = 'a'): void {
  socket.write(beginning);
  const timer = setInterval(() => socket.write(rest), 20);
  socket.on('close', () => clearInterval(timer));
}

/** The same for every listener, side by side: most of it is waiting. */
const each = async (
  attack: (name: string, start: (typeof listeners)[number][1]) => Promise<void>,
): Promise<void> => void (await Promise.all(listeners.map(([name, start]) => attack(name, start))));

describe('slow clients', () => {
  it('are sent away: of heads, of bodies, between requests, and before the first', () =>
    each(async (name, start) => {
      const { server, port, path } = await start(bringing);
      const accepted = counted(server);
      const post = `POST ${path} HTTP/1.1\r\nHost: localhost\r\n`;
      client(port);
      drip(client(port), '', '\r\n');
      drip(client(port), 'GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ');
      client(port).write('GET / HTTP/1.1\r\nHost: loc');
      client(port).write(`${post}Content-Length: 100\r\n\r\nhalf`);
      drip(client(port), `${post}Content-Length: 100000\r\n\r\n`);
      drip(client(port), `${post}Transfer-Encoding: chunked\r\n\r\n`, '1\r\na\r\n');
      drip(client(port), `${post}Transfer-Encoding: chunked\r\n\r\n5;`);
      client(port).write('GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await expect.poll(() => accepted()).toBe(9);
      await expect.poll(() => open(server), { message: name, timeout: 5000 }).toBe(0);
    }));

  it(
    'that read nothing of their answers are sent away, and those that read slowly are not',
    () =>
      each(async (name, start) => {
        const { server, port, path } = await start(taking);
        const accepted = counted(server);
        const get = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
        for (let at = 0; at < 3; at += 1) client(port).pause().write(get);
        const slow = client(port);
        let read = 0;
        slow.on('data', (bytes) => {
          read += bytes.length;
          slow.pause();
          // Slower than the system's buffers and the time limit, and steady.
          setTimeout(() => slow.resume(), 1);
        });
        slow.write(get);
        await expect.poll(() => accepted()).toBe(4);
        await expect.poll(() => open(server), { message: name, timeout: 10_000 }).toBeLessThanOrEqual(1);
        await expect.poll(() => read, { message: name, timeout: 20_000 }).toBeGreaterThan(large.length);
      }),
    40_000,
  );
});

it.each([
  ['alone', null],
  ['in front of Kong', 1],
] as const)('a tail on which nothing happens stays: event hooks %s', async (_where, kong) => {
  const { server, port, dispatcher } = await hooks(kong, idle);
  const tail = client(port);
  let text = '';
  tail.on('data', (bytes) => (text += bytes.toString()));
  tail.write('GET /event-hooks/tail HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await expect.poll(() => dispatcher.feed.watched).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 3 * idle.answerTimeoutMs));
  expect(await open(server)).toBe(1);
  dispatcher.feed.notify({ type: 'event', id: 'e1', source: 's', event: 'e', at: 1, data: '{}', hooks: 0 });
  await expect.poll(() => text).toContain('e1');
});

it('a connection beyond the limit is closed at once, and there is room again when others end', async () => {
  const { server, port } = await hooks(null, taking);
  server.maxConnections = 5;
  const first = Array.from({ length: 5 }, () => client(port));
  await expect.poll(() => open(server)).toBe(5);
  const sixth = client(port);
  await new Promise((resolve) => sixth.once('close', resolve));
  for (const socket of first) socket.destroy();
  await expect.poll(() => open(server)).toBe(0);
  const seventh = client(port);
  seventh.write('GET /event-hooks/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  const answer = await new Promise<string>((resolve) =>
    seventh.once('data', (bytes) => resolve(bytes.toString())),
  );
  expect(answer).toMatch(/^HTTP\/1\.1 200/);
});

it('connections that wait between two requests lock nobody out', async () => {
  for (const kong of [null, 1]) {
    const { server, port } = await hooks(kong, taking);
    server.maxConnections = 5;
    const holders = Array.from({ length: 5 }, () => client(port));
    const ask = async (socket: Socket): Promise<string> => {
      socket.write('GET /event-hooks/status HTTP/1.1\r\nHost: localhost\r\n\r\n');
      return new Promise((resolve) => {
        socket.once('data', (bytes) => resolve(bytes.toString()));
        socket.once('close', () => resolve('closed'));
      });
    };
    for (const answer of await Promise.all(holders.map(ask))) expect(answer).toMatch(/^HTTP\/1\.1 200/);
    // The first to come is refused, and makes room.
    expect(await ask(client(port))).toBe('closed');
    await expect.poll(() => open(server)).toBe(0);
    expect(await ask(client(port))).toMatch(/^HTTP\/1\.1 200/);
  }
});

describe('connections of gRPC', () => {
  async function grpc(more: Partial<GrpcOptions>): Promise<number> {
    const dispatcher = await createDispatcher({ log: memoryLog() });
    const handle = await serveGrpc(dispatcher, {
      address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
      token: 't',
      ...more,
    });
    onTestFinished(async () => {
      await handle.close();
      await dispatcher.stop(0);
    });
    return handle.address.kind === 'tcp' ? handle.address.port : 0;
  }

  it('on which nothing is asked for end: before a greeting, after one, and after half a head', async () => {
    const port = await grpc({ idleMs: 300 });
    const greeting = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
    const all = [
      Buffer.alloc(0),
      greeting.subarray(0, 10),
      greeting,
      Buffer.concat([greeting, Buffer.from([0])]),
    ];
    const ended = all.map((bytes) => {
      const socket = client(port).resume();
      if (bytes.length > 0) socket.write(bytes);
      return new Promise((resolve) => socket.once('close', () => resolve('ended')));
    });
    expect(await Promise.all(ended)).toEqual(all.map(() => 'ended'));
  });
});
