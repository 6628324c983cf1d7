import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedKongContainer } from '../../src/testing/containers/index.ts';
import { HooksApi } from './support/hooks.ts';
import { fromPluginServer, plugin, startKong } from './support/kong.ts';
import { once } from './support/load.ts';
import type { Recorder } from './support/recorder.ts';
import { startRecorder } from './support/recorder.ts';

/** What Kong 3.1 to 3.4 is told for plugins of both protocols: a server of its own for each. Later Kongs take it, too. */
describe('a plugin server per protocol', () => {
  const protocols = ['protobuf', 'msgpack'] as const;
  let kong: StartedKongContainer;
  let machine: Recorder;

  beforeAll(async () => {
    machine = await startRecorder();
    kong = await startKong({
      kongVersion: '3.4',
      eventHooks: true,
      serveOptions: ['--workers', '1'],
      plugins: protocols.map((protocol) => plugin(`mark-${protocol}`)),
      declarativeConfig: {
        _format_version: '3.0',
        services: protocols.map((protocol) => ({
          name: protocol,
          url: `http://host.docker.internal:${String(machine.port)}`,
          routes: [{ name: protocol, paths: [`/${protocol}`] }],
          plugins: [{ name: `mark-${protocol}`, config: { value: protocol } }],
        })),
      },
    });
  });

  afterAll(async () => {
    await kong?.stop();
    await machine?.close();
  });

  const serves = async (): Promise<void> => {
    for (const protocol of protocols)
      await expect
        .poll(() => once(`${kong.proxyUrl}/${protocol}`, 'x-mark'), { timeout: 30_000 })
        .toEqual({ status: 200, mark: `${protocol} GET` });
  };

  test('both serve, and again after they have been killed', async () => {
    await serves();
    await kong.restartPluginServer('SIGKILL');
    await serves();
  });

  test('a hook is for both: they share its store and the port of its Admin API', async () => {
    const api = new HooksApi(kong);
    const url = `${fromPluginServer('inside', machine.port)}/hook`;
    await api.create({ source: 'two-servers', handler: 'webhook', config: { url } });
    // Connections are spread over the processes that listen.
    const ids = Array.from({ length: 12 }, (_, n) => String(n));
    await Promise.all(ids.map((n) => api.emit('two-servers', `two-servers-${n}`, { n })));
    const seen = (): unknown[] =>
      machine.received
        .filter(({ url: path }) => path === '/hook')
        .map(({ body }) => (JSON.parse(body.toString()) as { n?: string }).n)
        .filter((n) => n !== undefined);
    await expect.poll(() => new Set(seen()).size, { timeout: 30_000 }).toBe(ids.length);
  });
});
