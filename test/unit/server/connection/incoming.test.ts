import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readSocket } from '../../../../src/server/connection/incoming.ts';

let folder: string;
let server: Server;
let accepted: Socket[];
const clients: Socket[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kong-ts-incoming-'));
  accepted = [];
  server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    onAccepted(socket);
  });
  server.listen(join(folder, 's'));
  await once(server, 'listening');
});

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

let onAccepted: (socket: Socket) => void = () => undefined;

async function client(): Promise<Socket> {
  const socket = connect({ path: join(folder, 's'), allowHalfOpen: true });
  socket.on('error', () => undefined);
  clients.push(socket);
  await once(socket, 'connect');
  return socket;
}

test('connections share one buffer, and the bytes are right until the reader returns', async () => {
  const rooms = new Set<ArrayBufferLike>();
  const read: string[] = [];
  onAccepted = (given) => {
    const { socket } = readSocket(given, (bytes) => {
      rooms.add(bytes.buffer);
      read.push(bytes.toString());
      socket.write(`got ${bytes.toString()}`);
    });
    expect(socket).not.toBe(given);
  };
  const [one, two] = [await client(), await client()];
  one.write('one');
  expect(String((await once(one, 'data'))[0])).toBe('got one');
  two.write('two');
  expect(String((await once(two, 'data'))[0])).toBe('got two');
  expect(read).toEqual(['one', 'two']);
  expect(rooms.size).toBe(1);
});

test('a message larger than the buffer comes in pieces', async () => {
  const pieces: Buffer[] = [];
  onAccepted = (given) => void readSocket(given, (bytes) => pieces.push(Buffer.from(bytes)));
  const sent = Buffer.alloc(300_000, 'abcdefg');
  (await client()).write(sent);
  await vi.waitUntil(() => pieces.reduce((sum, piece) => sum + piece.length, 0) === sent.length);
  expect(pieces.length).toBeGreaterThan(1);
  expect(Buffer.concat(pieces)).toEqual(sent);
});

test('nothing is read while it is paused, and everything afterwards', async () => {
  const read: string[] = [];
  let socket: Socket | null = null;
  onAccepted = (given) => {
    ({ socket } = readSocket(given, (bytes) => {
      read.push(bytes.toString());
      socket?.pause();
    }));
  };
  const from = await client();
  from.write('a');
  await vi.waitUntil(() => read.length === 1);
  from.write('b');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(read).toEqual(['a']);
  (socket as Socket | null)?.resume();
  await vi.waitUntil(() => read.length === 2);
  expect(read).toEqual(['a', 'b']);
});

test('another reader may take over in the middle', async () => {
  const second: string[] = [];
  onAccepted = (given) => {
    const incoming = readSocket(given, () => {
      incoming.reader = (bytes) => second.push(bytes.toString());
    });
  };
  const from = await client();
  from.write('for the first');
  await vi.waitUntil(() => accepted.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  from.write('for the second');
  await vi.waitUntil(() => second.join('').endsWith('for the second'));
});

test('the end of the stream is told, half of the connection stays open, and the server counts it out', async () => {
  let socket: Socket | null = null;
  let ended = false;
  onAccepted = (given) => {
    ({ socket } = readSocket(given, () => undefined));
    socket.once('end', () => {
      ended = true;
      socket?.end('last words');
    });
  };
  const from = await client();
  from.end('x');
  expect(String((await once(from, 'data'))[0])).toBe('last words');
  expect(ended).toBe(true);
  const closed = once(server, 'close');
  server.close();
  await closed;
  expect((socket as Socket | null)?.destroyed).toBe(true);
});

test('a socket that somebody listens to is left as it is', async () => {
  const heard: string[] = [];
  const read: string[] = [];
  onAccepted = (given) => {
    given.on('data', (bytes) => heard.push(bytes.toString()));
    expect(readSocket(given, (bytes) => read.push(bytes.toString())).socket).toBe(given);
  };
  (await client()).write('both');
  await vi.waitUntil(() => heard.length === 1 && read.length === 1);
  expect([heard, read]).toEqual([['both'], ['both']]);
});
