import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
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
    kongAdmin: kong.url,
    crudInterval: ['0.2'],
    eventHooksAdmin: '127.0.0.1:0',
    eventHooksAllow: ['loopback'],
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
  const compile = (more: object) => () => compileServerOptions({ ...options, ...more });
  expect(compile({ kongAdmin: 'http://127.0.0.1:8001', eventHooks: 'off' })).toThrow(/--kong-admin needs/);
  expect(compile({ crudInterval: ['5'] })).toThrow(/needs --kong-admin/);
  expect(compile({ kongAdmin: 'nowhere' })).toThrow(/needs a URL/);
  expect(compileServerOptions({ ...options, kongAdmin: 'http://127.0.0.1:8001' }).eventHooks).toBe('on');
});
