import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { KongAdmin } from '../../../src/kong-admin/client.ts';

let server: Server | null = null;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  server = null;
});

type Answer = { status?: number; server?: string; body?: unknown };

/** An Admin API that answers these paths, and 404 elsewhere. */
async function startKong(answers: Record<string, Answer>): Promise<KongAdmin> {
  server = createServer((request, response) => {
    const answer = answers[request.url ?? ''] ?? { status: 404, body: { message: 'Not found' } };
    if (answer.server !== undefined) response.setHeader('server', answer.server);
    response.statusCode = answer.status ?? 200;
    response.end(JSON.stringify(answer.body ?? {}));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return new KongAdmin({ url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` });
}

const failingRoot: Answer = { status: 500, body: { message: 'An unexpected error occurred' } };
const enabled: Answer = { body: { enabled_plugins: ['cors', 'mine'] } };

describe('what a node is', () => {
  it('is told although GET / fails, as in nginx worker 0 of a Kong with a plugin server', async () => {
    const admin = await startKong({
      '/': failingRoot,
      '/status': { server: 'kong/3.9.3' },
      '/plugins/enabled': enabled,
    });
    expect(await admin.info()).toEqual({
      version: '3.9.3',
      edition: 'community',
      availablePlugins: ['cors', 'mine'],
    });
  });

  it('is told by the version of the Enterprise edition', async () => {
    const admin = await startKong({ '/status': { server: 'kong/3.4.3.1-enterprise-edition' } });
    expect(await admin.info()).toEqual({
      version: '3.4.3.1-enterprise-edition',
      edition: 'enterprise',
      availablePlugins: null,
    });
  });

  it('is asked for at GET / where the node sends no Server header', async () => {
    const admin = await startKong({
      '/status': {},
      '/': { body: { version: '3.8.0', edition: 'community' } },
    });
    expect(await admin.info()).toMatchObject({ version: '3.8.0', edition: 'community' });
  });

  it('is unknown where nothing says it', async () => {
    const admin = await startKong({ '/status': { server: 'nginx' }, '/': failingRoot });
    expect(await admin.info()).toEqual({ version: 'unknown', edition: null, availablePlugins: null });
  });

  it('is refused where the node refuses its status', async () => {
    const admin = await startKong({ '/status': { status: 401, body: { message: 'Unauthorized' } } });
    await expect(admin.info()).rejects.toThrow('401: Unauthorized');
  });
});
