import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Exchange } from '../../../../src/kong-end/request/exchange.ts';
import { NginxWorkers } from '../../../../src/kong-end/plugin-server/worker.ts';
import { FrameDecoder } from '../../../../src/wire/protobuf/framing.ts';

let folder: string;
let server: net.Server;
const sockets = new Set<net.Socket>();
const workers = new NginxWorkers({ debug: () => undefined } as never, 5000);
const exchange = { subsystem: 'http', worker: 0 } as Exchange;
const socketPath = () => path.join(folder, 's');

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-workers-'));
  server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).resume();
  });
  await new Promise<void>((resolve) => server.listen(socketPath(), resolve));
});
afterEach(async () => {
  workers.close();
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  rmSync(folder, { recursive: true });
});

test('an event in flight keeps its connection over any number of reloads, and ends it when it is over', async () => {
  const pool = workers.of(exchange).poolOf(socketPath());
  const conversation = await pool.acquire(new FrameDecoder());
  const idle = await pool.acquire(new FrameDecoder());
  pool.release(idle);
  for (let reload = 0; reload < 3; reload++) workers.renew();
  expect(workers.of(exchange).poolOf(socketPath())).not.toBe(pool);
  expect(idle.connection.failed?.message).toBe('closed');
  expect(conversation.connection.failed).toBeNull();
  pool.release(conversation);
  expect(conversation.connection.failed?.message).toBe('closed');
});

test('what is still in flight ends with the gateway', async () => {
  const conversation = await workers.of(exchange).poolOf(socketPath()).acquire(new FrameDecoder());
  workers.renew();
  workers.renew();
  workers.close();
  expect(conversation.connection.failed?.message).toBe('closed');
});
