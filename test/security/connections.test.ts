import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startReceiver } from '../../src/cli/demo/receiver.ts';
import { createDispatcher } from '../../src/event-hooks/dispatcher/dispatcher.ts';
import { grpcTarget } from '../../src/event-hooks/grpc/address.ts';
import type { Address } from '../../src/event-hooks/grpc/address.ts';
import type { GrpcOptions } from '../../src/event-hooks/grpc/server.ts';
import { serveGrpc } from '../../src/event-hooks/grpc/server.ts';
import { connectEventHooks } from '../../src/event-hooks/index.ts';
import { parseServeOptions } from '../../src/event-hooks/serve/options.ts';
import { serveDispatcher } from '../../src/event-hooks/serve/serve.ts';
import { selfSigned } from '../../src/sandbox/gateway/self-signed.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { listenControl, listenMetrics } from '../../src/server/admin/listeners.ts';
import { memoryLog } from '../event-hooks/support/setup.ts';

/** Each server of this process, before it listens. */
const listening = 'tracing:net.server.listen:asyncStart';
let servers: Server[] = [];
const keep = (message: unknown) => void servers.push((message as { server: Server }).server);
let folder: string;

beforeAll(() => {
  subscribe(listening, keep);
  folder = mkdtempSync(join(tmpdir(), 'kts-'));
});
afterAll(() => {
  unsubscribe(listening, keep);
  rmSync(folder, { recursive: true });
});

const log = memoryLog();
const source = { status: () => ({}), metrics: () => ({}), reload: () => ({}) } as never;
const tcp: Address = { kind: 'tcp', host: '127.0.0.1', port: 0 };

async function grpc(options: Partial<GrpcOptions>): Promise<Address> {
  const dispatcher = await createDispatcher({ log });
  const handle = await serveGrpc(dispatcher, { address: tcp, token: 't', ...options });
  onTestFinished(async () => {
    await handle.close();
    await dispatcher.stop(0);
  });
  return handle.address;
}

async function hooks(...argv: string[]): Promise<void> {
  const options = parseServeOptions(argv, {});
  const served = await serveDispatcher({ ...options, dispatcher: { ...options.dispatcher, log } });
  onTestFinished(() => served.stop());
}

async function ended(closing: Promise<{ close(): Promise<unknown> }>): Promise<void> {
  const opened = await closing;
  onTestFinished(async () => {
    await opened.close();
  });
}

const listeners: [name: string, count: number, open: () => Promise<unknown>][] = [
  ['gRPC over TCP', 1, () => grpc({})],
  ['gRPC on a unix socket', 1, () => grpc({ address: { kind: 'unix', path: join(folder, 'grpc') } })],
  ['gRPC over TLS', 1, () => grpc({ tls: { ca: selfSigned().cert, ...selfSigned() } })],
  ["event hooks' Admin API", 1, () => hooks('--admin', '127.0.0.1:0')],
  ['the same on a unix socket', 1, () => hooks('--admin', `unix:${join(folder, 'admin')}`)],
  [
    'the same in front of Kong',
    1,
    () => hooks('--admin', '127.0.0.1:0', '--kong-admin', 'http://127.0.0.1:9', '--crud-interval', '3600'),
  ],
  [
    "the server's Admin API",
    1,
    () => ended(listenMetrics({ host: '127.0.0.1', port: 0 }, source, log as never)),
  ],
  ['the control socket', 1, () => ended(listenControl(join(folder, 'ctl'), source))],
  ["the demo's receiver", 1, () => ended(startReceiver('127.0.0.1', 0))],
  [
    'the sandbox',
    6,
    () =>
      ended(
        startSandbox({
          proxyListen: '127.0.0.1:0, 127.0.0.1:0 ssl',
          adminListen: '127.0.0.1:0, 127.0.0.1:0 ssl',
          streamListen: '127.0.0.1:0, 127.0.0.1:0 ssl',
          log: () => undefined,
        }),
      ),
  ],
];

it.each(listeners)('%s has a limit of connections', async (_name, count, open) => {
  servers = [];
  await open();
  expect(servers).toHaveLength(count);
  for (const server of servers) expect(server.maxConnections).toBeGreaterThan(0);
});

/** Resolves once the other end has closed the connection. */
const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));

function client(address: Address): Socket {
  const socket = address.kind === 'unix' ? connect(address.path) : connect(address.port, address.host);
  socket.on('error', () => undefined).resume();
  onTestFinished(() => void socket.destroy());
  return socket;
}

describe.each<[string, () => Address]>([
  ['TCP', () => tcp],
  ['a unix socket', () => ({ kind: 'unix', path: join(folder, 'limited') })],
])('gRPC on %s', (_name, where) => {
  it('closes a connection beyond the limit at once, and emitters come in when there is room again', async () => {
    const address = await grpc({ address: where(), maxConnections: 3 });
    const first = [client(address), client(address), client(address)];
    await Promise.all(first.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await closed(client(address));
    const states: string[] = [];
    const transport = await connectEventHooks({
      address: grpcTarget(address),
      token: 't',
      maxBackoffMs: 50,
      onState: (state) => states.push(state),
    });
    onTestFinished(() => transport.close());
    await expect.poll(() => states.at(-1)).toBe('away');
    for (const socket of first) socket.destroy();
    await expect.poll(() => states.at(-1), { timeout: 10_000 }).toBe('connected');
  });
});
