import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConnectionPool } from '../../../../src/kong-end/plugin-server/pool.ts';
import { MsgpackClient } from '../../../../src/kong-end/plugin-server/msgpack-client.ts';
import { ProtobufClient } from '../../../../src/kong-end/plugin-server/protobuf-client.ts';
import { FrameDecoder } from '../../../../src/wire/protobuf/framing.ts';
import { until } from '../../../support/until.ts';

let folder: string;
let server: net.Server;
let sockets: net.Socket[];
/** What the server does with what comes, by connection; it reads unless it says `unread`. */
let serve: (socket: net.Socket, number: number) => unknown;
let pool: ConnectionPool;
const options = () => ({ path: path.join(folder, 's'), timeoutMs: 5000, maxMessageBytes: 1 << 20 });

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-pool-'));
  sockets = [];
  serve = () => undefined;
  server = net.createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => undefined);
    if (serve(socket, sockets.push(socket) - 1) !== 'unread') socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(options().path, resolve));
  pool = new ConnectionPool({ ...options(), maxIdle: 2 });
});
afterEach(async () => {
  pool.close();
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  rmSync(folder, { recursive: true });
});

const acquire = () => pool.acquire(new FrameDecoder());

test('the connection that was given back last is taken first', async () => {
  const [a, b] = [await acquire(), await acquire()];
  pool.release(a);
  pool.release(b);
  expect((await acquire()).connection).toBe(b.connection);
  expect((await acquire()).connection).toBe(a.connection);
  expect((await acquire()).connection).not.toBe(a.connection);
});

test('where there is no room the oldest is closed', async () => {
  const [a, b, c] = [await acquire(), await acquire(), await acquire()];
  for (const each of [a, b, c]) pool.release(each);
  expect([a, b, c].map(({ connection }) => connection.failed?.message)).toEqual([
    'closed',
    undefined,
    undefined,
  ]);
});

test('bytes that nobody has read make a connection useless: those of before and those that come while it is idle', async () => {
  serve = (socket) => void socket.write(Buffer.from('0500', 'hex'));
  const half = await acquire();
  await until('a piece', () => (half.partial ? true : null));
  pool.release(half);
  expect(half.connection.failed).not.toBeNull();
  serve = () => undefined;
  const idle = await acquire();
  pool.release(idle);
  sockets[1]?.write('x');
  await until('the end', () => idle.connection.failed);
  expect((await acquire()).connection).not.toBe(idle.connection);
});

test('a socket that is closed with unread bytes in it is reset; one that has read them is closed', async () => {
  serve = (socket, number) => {
    if (number > 0) return socket.once('data', () => socket.destroy());
    // What has come is not read: the system tells the other end so.
    setTimeout(() => socket.destroy(), 50);
    return 'unread';
  };
  const unread = await acquire();
  unread.write(Buffer.from('hello'));
  await expect(unread.next(5000)).rejects.toThrow('connection reset by peer');
  const read = await acquire();
  read.write(Buffer.from('hello'));
  await expect(read.next(5000)).rejects.toThrow('closed');
});

test('what Kong says of a server that closes: ProtoBuf:1 names it, MsgPack:1 has no data', async () => {
  serve = (socket) => socket.once('data', () => socket.end());
  await expect(new ProtobufClient(pool, options()).startInstance('p', '{}')).rejects.toThrow('closed');
  const msgpack = new MsgpackClient(pool, options(), () => undefined);
  await expect(msgpack.handleEvent(1, 'access', () => null)).rejects.toThrow('no data');
});

test('clients of both protocols speak on one connection', async () => {
  const seen: string[] = [];
  serve = (socket, number) => {
    socket.on('data', (chunk: Buffer) => {
      const packed = chunk[0] === 0x94;
      seen.push(`${String(number)} ${packed ? 'MsgPack:1' : 'ProtoBuf:1'}`);
      if (packed) socket.write(Buffer.from('940101c081a2496407', 'hex'));
      // One status with the id 8, whose sequence is 1.
      else if (chunk.length > 4) socket.write(Buffer.from('07000000' + '08018a02021008', 'hex'));
    });
  };
  expect(await new ProtobufClient(pool, options()).startInstance('p', '{}')).toBe(8);
  expect(await new MsgpackClient(pool, options(), () => undefined).startInstance('p', '{}')).toBe(7);
  expect(new Set(seen)).toEqual(new Set(['0 ProtoBuf:1', '0 MsgPack:1']));
});
