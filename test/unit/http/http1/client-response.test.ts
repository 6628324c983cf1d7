import type { AddressInfo, Socket } from 'node:net';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ClientResponse } from '../../../../src/http/http1/client-response.ts';

let server: net.Server;
let client: Socket;
let socket: Socket;
let received: string[];

beforeEach(async () => {
  server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  received = [];
  client = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.setEncoding('latin1').on('data', (piece: string) => received.push(piece));
  client.on('error', () => undefined);
  socket = await accepted;
});
afterEach(() => {
  client.destroy();
  socket.destroy();
  server.close();
});

describe('an answer to a client', () => {
  test('has its head and the first bytes of its body in one piece, and is counted', async () => {
    const response = new ClientResponse(socket);
    response.head(Buffer.from('head\r\n\r\n'));
    expect(response.headersSent).toBe(true);
    await response.body(Buffer.from('body'));
    await response.end();
    expect([response.finished, response.bytes]).toEqual([true, 12]);
    await expect.poll(() => received).toEqual(['head\r\n\r\nbody']);
  });

  test('leaves nothing on a connection that stays', async () => {
    const before = ['close', 'drain', 'error'].map((name) => socket.listenerCount(name));
    for (let count = 0; count < 20; count++) {
      const response = new ClientResponse(socket);
      response.head(Buffer.from('x'));
      await response.end();
      response.release();
    }
    expect(['close', 'drain', 'error'].map((name) => socket.listenerCount(name))).toEqual(before);
  });

  test('that the client does not wait for closes once and is not finished', async () => {
    const response = new ClientResponse(socket);
    let closed = 0;
    response.on('close', () => closed++);
    response.head(Buffer.from('head'));
    client.destroy();
    await expect.poll(() => closed).toBe(1);
    await expect(response.body(Buffer.from('late'))).rejects.toThrow('the connection has ended');
    await response.end();
    expect([response.finished, closed]).toEqual([false, 1]);
  });
});
