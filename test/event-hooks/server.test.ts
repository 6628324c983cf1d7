import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { KongClient } from '../server/support/kong-client.ts';
import { Workbench } from '../server/support/server-process.ts';
import { freePort } from '../support/free-port.ts';
import { Receiver } from './support/receiver.ts';

const emitting = fileURLToPath(new URL('plugins/emitting.ts', import.meta.url));

it('a server with two workers fires once per event; hooks made, changed and deleted take effect at once', async () => {
  const receiver = await Receiver.start();
  const place = await Workbench.create();
  onTestFinished(async () => {
    await place.clean();
    await receiver.close();
  });
  const port = String(await freePort());
  const api = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`http://127.0.0.1:${port}/event-hooks${path}`, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  };
  const options = ['--event-hooks', 'on', '--event-hooks-admin', `127.0.0.1:${port}`];
  const server = await place
    .serve([emitting], '--workers', '2', ...options, '--event-hooks-allow', 'loopback')
    .ready();
  const kongs = [new KongClient(server.socket), new KongClient(server.socket)];
  onTestFinished(() => {
    for (const kong of kongs) kong.close();
  });
  // Published by both workers, listed once.
  let sources: Record<string, unknown> = {};
  for (let wait = 0; wait < 200 && sources.data === undefined; wait += 1) {
    sources = await api('GET', '/sources/emitting').catch(() => ({}));
    if (sources.data === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(sources).toEqual({ data: { seen: { fields: ['n', 'pid'], unique: ['n'] } } });

  let n = 0;
  const requests = (): Promise<unknown> =>
    Promise.all(
      Array.from({ length: 20 }, async (_, i) => kongs[i % 2]?.event('emitting', { n: ++n }, 'access')),
    );
  const numbers = (path: string): number[] =>
    receiver
      .bodies(path)
      .map((body) => Number(body.n))
      .sort((a, b) => a - b);
  const range = (from: number, to: number): number[] =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i);

  // What a worker emits before it has reached the dispatcher is kept, and fires hooks that are made meanwhile.
  const first = await api('POST', '', {
    source: 'emitting',
    event: 'seen',
    handler: 'webhook',
    config: { url: receiver.url('/reached') },
  });
  await Promise.all(kongs.map((kong, i) => kong.event('emitting', { n: 1000 + i }, 'access')));
  await receiver.untilTrue(() => [1000, 1001].every((one) => numbers('/reached').includes(one)));
  await api('DELETE', `/${String(first.id)}`);

  await requests();
  const config = { url: receiver.url('/a') };
  const { id } = await api('POST', '', { source: 'emitting', event: 'seen', handler: 'webhook', config });
  await requests();
  await receiver.until('/a', 20);
  await api('PATCH', `/${String(id)}`, { config: { url: receiver.url('/b') } });
  await requests();
  await receiver.until('/b', 20);
  await api('DELETE', `/${String(id)}`);
  await requests();
  expect(numbers('/a')).toEqual(range(21, 40));
  expect(numbers('/b')).toEqual(range(41, 60));
  expect((await server.status()).workers.map(({ connections }) => connections > 0)).toEqual([true, true]);
}, 60_000);
