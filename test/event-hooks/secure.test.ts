import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EventHooks, connectEventHooks } from '../../src/event-hooks/index.ts';
import { grpcTarget } from '../../src/event-hooks/grpc/address.ts';
import { serveGrpc } from '../../src/event-hooks/grpc/server.ts';
import type { GrpcOptions } from '../../src/event-hooks/grpc/server.ts';
import { eventHooksService } from '../../src/event-hooks/grpc/service.ts';
import type { WireNotice } from '../../src/event-hooks/grpc/service.ts';
import { selfSigned } from '../../src/sandbox/gateway/self-signed.ts';
import { bench, tempDir } from './support/setup.ts';
import type { Bench } from './support/setup.ts';

async function open(b: Bench, options: Partial<GrpcOptions>): Promise<string> {
  const handle = await serveGrpc(b.dispatcher, {
    address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    ...options,
  });
  onTestFinished(() => handle.close());
  return grpcTarget(handle.address);
}

describe('gRPC with mutual TLS', () => {
  it('serves who shows a certificate of the authority, nobody else', async () => {
    const b = await bench();
    await b.hook({ source: 's', handler: 'log' });
    const [server, client, stranger] = [selfSigned(), selfSigned(), selfSigned()];
    const address = await open(b, { tls: { ca: client.cert, ...server } });
    const connect = async (tls: { ca: string; cert: string; key: string } | null) => {
      const states: string[] = [];
      const transport = await connectEventHooks({
        address,
        tls,
        onState: (state, reason) => states.push(`${state} ${reason}`),
      });
      onTestFinished(() => transport.close());
      const hub = new EventHooks();
      hub.attachTransport(transport);
      hub.emit('s', 'e', { n: 1 });
      await b.receiver.untilTrue(() => states.length > 0);
      return { states, hub, transport };
    };
    const good = await connect({ ca: server.cert, ...client });
    await good.hub.flush(20_000);
    expect(good.transport.stats.acknowledged).toBe(1);
    for (const tls of [{ ca: server.cert, ...stranger }, { ca: stranger.cert, ...client }, null]) {
      const { states, transport } = await connect(tls);
      expect(states[0]).toMatch(/^away /);
      expect(transport.stats).toMatchObject({ acknowledged: 0, buffered: 1 });
    }
  });
});

describe('Subscribe', () => {
  it('streams events and attempts of the sources asked for; every call wants the token', async () => {
    const b = await bench();
    await b.hook({ source: 's', event: 'e', handler: 'log' });
    const address = await open(b, { token: 't' });
    const client = new Client(address, credentials.createInsecure());
    onTestFinished(() => {
      client.close();
    });
    const { subscribe, listSources, publish } = eventHooksService();
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer t');
    const watch = (request: object): WireNotice[] => {
      const notices: WireNotice[] = [];
      client
        .makeServerStreamRequest(
          subscribe.path,
          subscribe.requestSerialize,
          subscribe.responseDeserialize,
          request as never,
          metadata,
        )
        .on('data', (notice: WireNotice) => notices.push(notice))
        .on('error', () => undefined);
      return notices;
    };
    const watching = vi.spyOn(b.dispatcher.feed, 'tail');
    const all = watch({});
    const attempts = watch({ sources: ['s'], withoutEvents: true });
    await b.receiver.untilTrue(() => watching.mock.calls.length === 2);
    b.hub.emit('s', 'e', { n: 1 });
    await b.receiver.untilTrue(() => all.length >= 2 && attempts.length >= 1);
    expect(all.map((one) => one.received?.event.data ?? one.attempt?.state).sort()).toEqual([
      'delivered',
      '{"n":1}',
    ]);
    expect(attempts).toMatchObject([
      { attempt: { source: 's', event: 'e', state: 'delivered', attempts: 1 } },
    ]);

    const ask = (token: string | null) =>
      new Promise((resolve) => {
        const own = new Metadata();
        if (token !== null) own.set('authorization', `Bearer ${token}`);
        client.makeUnaryRequest(
          listSources.path,
          listSources.requestSerialize,
          listSources.responseDeserialize,
          {},
          own,
          (error, answer) => {
            resolve(error?.details ?? answer?.declarations.length);
          },
        );
      });
    expect(await ask('t')).toBeGreaterThan(10);
    expect(await ask('wrong')).toMatch(/token is missing or wrong/);
    expect(await ask(null)).toMatch(/token is missing or wrong/);
    expect(publish.path).toBe('/kongts.eventhooks.v1.EventHooks/Publish');
  });
});

describe('HTTPS targets', () => {
  it('are refused where the certificate is not valid, unless ssl_verify is off', async () => {
    const b = await bench({ retrySchedule: [] });
    const bodies: string[] = [];
    const server = createServer(selfSigned(), (request, response) => {
      request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
      request.on('end', () => response.end('secure'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `https://localhost:${String((server.address() as AddressInfo).port)}/`;
    const make = (ssl_verify?: boolean) =>
      b.hook({
        source: 's',
        handler: 'webhook-custom',
        config: { url, method: 'POST', body: '{{ n }}', ...(ssl_verify === undefined ? {} : { ssl_verify }) },
      });
    const hooks = [await make(), await make(true), await make(false)];
    b.hub.emit('s', 'e', { n: 1 });
    await b.settled();
    const states: unknown[] = [];
    for (const { id } of hooks) {
      const { body } = await b.api<{ data: { state: string; error: string; response: string }[] }>(
        'GET',
        `/event-hooks/${id}/deliveries`,
      );
      states.push(...body.data.map((one) => [one.state, one.error, one.response]));
    }
    const refused = ['dead', expect.stringMatching(/self.signed/i), null];
    expect(states).toEqual([refused, refused, ['delivered', null, 'secure']]);
    expect(bodies).toEqual(['1']);
  });
});

it('a dispatcher without data directory says that it is in memory', async () => {
  const b = await bench();
  expect(b.log.lines[0]?.message).toMatch(/in memory/);
  const durable = await bench({ dataDir: tempDir() });
  expect(durable.log.lines.filter((one) => one.level !== 'info')).toEqual([]);
});
