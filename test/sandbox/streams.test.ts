import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import type { TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';
import { recordedConfig } from './support/recorded-config.ts';
import type { Transcript } from './support/transcripts.ts';
import { happenedValue, recordedValue, stable, transcripts } from './support/transcripts.ts';

let gateway: TestGateway;
let echo: net.Server;

afterEach(async () => {
  await gateway.close();
  await new Promise((resolve) => echo.close(resolve));
});

/** A TCP service that sends back what it gets. */
async function startEcho(): Promise<number> {
  echo = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  return (echo.address() as net.AddressInfo).port;
}

/** Sends text, ends when as much has come back, resolves with what came; rejects on a reset. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text));
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      received += chunk;
      if (received.length >= text.length) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}

async function start(
  protocol: 'protobuf' | 'msgpack',
  script: Transcript['script'],
): Promise<[number, number]> {
  const service = await startEcho();
  const port = await freePort();
  gateway = await testGateway({
    protocol,
    script,
    config: () => recordedConfig(1, { service, ports: [port, 9001] }),
    sandbox: { proxyListen: 'off', streamListen: `127.0.0.1:${String(port)}` },
  });
  return [port, service];
}

const recorded = transcripts().filter(({ scenario }) => scenario === 'stream-preread');

describe.each(recorded.map((each): [string, Transcript] => [each.protocol, each]))(
  '%s',
  (_name, transcript) => {
    const protocol = transcript.protocol === 'ProtoBuf:1' ? 'protobuf' : 'msgpack';

    test('a TCP connection runs preread and log as in Kong 3.9.3', async () => {
      const [port, service] = await start(protocol, transcript.script);
      const logged = gateway.server.ended('log');
      expect(await exchange(port, 'hi')).toBe('hi');
      await logged;
      const ports = new Map([
        [port, 9000],
        [service, 18_082],
      ]);
      expect(
        gateway.server.calls.map((call) => [
          call.phase,
          call.method ?? 'done',
          stable(happenedValue(call) ?? null, ports),
        ]),
      ).toEqual(
        transcript.calls.map((call) => [
          call.phase,
          call.method ?? 'done',
          stable(call.ok?.has === false ? null : (recordedValue(call) ?? null), ports),
        ]),
      );
    });

    test('kong.response.exit ends a connection', async () => {
      const [port] = await start(protocol, { preread: [['kong.response.exit', 403, 'no']] });
      await expect(exchange(port, 'hi')).rejects.toMatchObject({ code: 'ECONNRESET' });
    });
  },
);

test('a service that is not there ends the connection, and the tries are logged', async () => {
  const [port] = await start('protobuf', { log: [['kong.log.serialize']] });
  await new Promise((resolve) => echo.close(resolve));
  const logged = gateway.server.ended('log');
  await exchange(port, 'hi').catch(() => undefined);
  await logged;
  const record = JSON.parse(gateway.server.calls.at(-2)?.value as string) as {
    tries: unknown[];
    session: object;
  };
  expect(record.tries).toHaveLength(6);
  expect(record.session).toMatchObject({ status: 502 });
  await startEcho();
});

test.each(['sources', 'destinations'])(
  'ProtoBuf:1: a route with %s cannot be told to a plugin, as in Kong',
  async (name) => {
    const service = await startEcho();
    const port = await freePort();
    const address = name === 'sources' ? { ip: '127.0.0.1' } : { port };
    gateway = await testGateway({
      protocol: 'protobuf',
      phases: ['log'],
      script: { log: [['kong.router.get_route']] },
      config: () => ({
        _format_version: '3.0',
        services: [
          {
            url: `tcp://127.0.0.1:${String(service)}`,
            routes: [{ protocols: ['tcp'], [name]: [address] }],
          },
        ],
        plugins: [{ name: 'probe', protocols: ['tcp'] }],
      }),
      sandbox: { proxyListen: 'off', streamListen: `127.0.0.1:${String(port)}` },
    });
    expect(await exchange(port, 'hi')).toBe('hi');
    await expect.poll(() => gateway.logs.join('\n')).toContain(`string expected for field '${name}'`);
  },
);
