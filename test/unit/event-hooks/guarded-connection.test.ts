import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { guardedConnection } from '../../../src/event-hooks/delivery/guarded-connection.ts';
import { TargetGuard } from '../../../src/event-hooks/delivery/target-guard.ts';
import { selfSigned } from '../../../src/sandbox/gateway/self-signed.ts';

const guardOf = (...addresses: string[]) =>
  new TargetGuard({ allowLoopback: true, resolve: async () => addresses });

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A server that greets, closed with its connections when the test ends. */
async function greeter(make: (greet: (socket: Socket) => void) => Server): Promise<number> {
  const open = new Set<Socket>();
  const server = make((socket) => {
    open.add(socket.on('error', () => undefined));
    socket.write('hello');
  });
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return portOf(server);
}

async function greeting(socket: Socket): Promise<string> {
  const [text] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return text.toString();
}

describe('a connection for a handler', () => {
  it('goes to an address that the guard has checked, past those that it refuses', async () => {
    const port = await greeter(createServer);
    const guard = guardOf('169.254.169.254', '127.0.0.1');
    const socket = await guardedConnection(guard, { host: 'broker.example', port }, 5000);
    expect(socket.remoteAddress).toBe('127.0.0.1');
    expect(await greeting(socket)).toBe('hello');
  });

  it.each(['10.0.0.1', '[fe80::1]', 'broker.example'])('to %s is refused by the guard', async (host) => {
    const to = guardedConnection(guardOf('169.254.169.254'), { host, port: 1 }, 5000);
    await expect(to).rejects.toThrow(/is refused: /);
  });

  it('of TLS needs a valid certificate, unless sslVerify is off', async () => {
    const port = await greeter((greet) => createTlsServer(selfSigned(), greet));
    const to = { host: 'localhost', port, tls: true };
    await expect(guardedConnection(guardOf('127.0.0.1'), to, 5000)).rejects.toThrow(/self.signed/);
    const socket = await guardedConnection(guardOf('127.0.0.1'), { ...to, sslVerify: false }, 5000);
    expect(await greeting(socket)).toBe('hello');
  });

  it('fails when nobody listens, and when the name is not resolved in time', async () => {
    const server = createServer();
    const port = await portOf(server);
    await new Promise((resolve) => server.close(resolve));
    const nobody = guardedConnection(guardOf('127.0.0.1'), { host: '127.0.0.1', port }, 5000);
    await expect(nobody).rejects.toThrow(/ECONNREFUSED/);
    const guard = new TargetGuard({ resolve: () => new Promise(() => undefined) });
    const never = guardedConnection(guard, { host: 'slow.example', port }, 20);
    await expect(never).rejects.toThrow('no connection to slow.example within 20 ms');
  });
});
