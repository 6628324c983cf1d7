import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { launchOf } from '../../src/event-hooks/serve/launch.ts';
import type { ServerFlags } from '../../src/event-hooks/serve/launch.ts';
import { compileServerOptions } from '../../src/server/options.ts';
import { startServer } from '../../src/server/index.ts';
import { call, firstLook, startKong } from './support/front.ts';
import { Receiver } from './support/receiver.ts';
import { tempDir } from './support/setup.ts';

const plugin = fileURLToPath(new URL('../server/plugins/steady.ts', import.meta.url));

it('a plugin server watches a Kong beside its plugins', { timeout: 60_000 }, async () => {
  const kong = await startKong();
  const folder = tempDir();
  const receiver = await Receiver.start();
  const server = await startServer({
    plugins: [plugin],
    socket: join(folder, 'plugins.sock'),
    dataDir: folder,
    dispatcher: launchOf(
      {
        'kong-admin': kong.url,
        'crud-interval': ['0.2'],
        'event-hooks-admin': '127.0.0.1:0',
        'event-hooks-allow': ['loopback'],
      },
      { environment: {}, dataDir: folder },
    ),
  });
  onTestFinished(async () => {
    await server.stop();
    await receiver.close();
  });
  await expect.poll(() => server.status().eventHooks?.admin).toMatch(/^http/);
  const url = server.status().eventHooks?.admin ?? '';
  const made = await call('POST', `${url}/event-hooks`, {
    source: 'dao:crud',
    event: 'create',
    handler: 'webhook',
    config: { url: receiver.url('/hook') },
  });
  expect(made.status).toBe(201);
  await firstLook(url);
  await call('POST', `${kong.url}/consumers`, { username: 'alice' });
  await receiver.until('/hook', 1);
  expect(receiver.bodies('/hook')[0]).toMatchObject({
    source: 'dao:crud',
    event: 'create',
    schema: 'consumers',
    entity: { username: 'alice' },
  });
  expect((await call('GET', `${url}/consumers/alice`)).status).toBe(200);
});

it('says what does not go together', () => {
  const options = { plugins: ['x'], socket: '/tmp/x.sock' };
  const compile = (given: object, when?: 'auto' | 'off') =>
    compileServerOptions({
      ...options,
      ...(when === undefined ? {} : { eventHooks: when }),
      dispatcher: launchOf(given as ServerFlags, {
        environment: {},
        ...(when === undefined ? {} : { when }),
      }),
    });
  const kong = { 'kong-admin': 'http://127.0.0.1:8001' };
  expect(() => compile(kong, 'off')).toThrow(/--kong-admin needs/);
  expect(() => compile({ 'crud-interval': ['5'] })).toThrow(/needs --kong-admin/);
  expect(() => compile({ 'kong-admin': 'nowhere' })).toThrow(/needs a URL/);
  expect(compile(kong).eventHooks).toBe('on');
});
