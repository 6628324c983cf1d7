import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedKongContainer } from '../../src/testing/containers/index.ts';
import { HooksApi } from './support/hooks.ts';
import { fromPluginServer, placements, startKong } from './support/kong.ts';
import type { Recorder } from './support/recorder.ts';
import { startRecorder } from './support/recorder.ts';

interface Record {
  request: { uri: string; method: string };
  response: { status: number };
  route: { name: string };
  service: { name: string };
  latencies: { request: number };
}

interface Hook {
  id: string;
}

describe.each(placements)('http-log-enterprise and event hooks, plugin server %s', (pluginServer) => {
  let kong: StartedKongContainer;
  let machine: Recorder;

  const config = (single: string): object => {
    const logs = fromPluginServer(pluginServer, machine.port);
    const route = (name: string, settings: object): object => ({
      name,
      paths: [`/${name}`],
      strip_path: false,
      plugins: [{ name: 'http-log-enterprise', config: settings }],
    });
    return {
      _format_version: '3.0',
      services: [
        {
          name: 'upstream',
          url: `http://host.docker.internal:${String(machine.port)}`,
          routes: [
            route('single', { http_endpoint: `${logs}/logs/${single}`, headers: { 'x-team': 'blue' } }),
            route('batch', {
              http_endpoint: `${logs}/logs/batch`,
              queue: { max_batch_size: 5, max_coalescing_delay: 0.5 },
            }),
          ],
        },
      ],
    };
  };

  beforeAll(async () => {
    machine = await startRecorder();
    kong = await startKong({
      pluginServer,
      plugins: ['http-log-enterprise'],
      eventHooks: true,
      declarativeConfig: config('single'),
    });
  });

  afterAll(async () => {
    await kong?.stop();
    await machine?.close();
  });

  const deliveries = (path: string) => machine.received.filter(({ url }) => url === path);
  const request = async (path: string): Promise<void> => {
    const answer = await fetch(`${kong.proxyUrl}${path}`);
    await answer.text();
    expect(answer.status).toBe(200);
  };

  test('one request, one record, as Kong writes it', async () => {
    await request('/single?n=1');
    await expect.poll(() => deliveries('/logs/single').length, { timeout: 15_000 }).toBe(1);
    const [delivery] = deliveries('/logs/single');
    expect(delivery?.method).toBe('POST');
    expect(delivery?.headers).toMatchObject({ 'content-type': 'application/json', 'x-team': 'blue' });
    expect(JSON.parse(delivery?.body.toString() ?? '') as Record).toMatchObject({
      request: { uri: '/single?n=1', method: 'GET' },
      response: { status: 200 },
      route: { name: 'single' },
      service: { name: 'upstream' },
    });
  });

  test('batches are arrays, every record is in one of them', async () => {
    await Promise.all(Array.from({ length: 23 }, (_, n) => request(`/batch?n=${String(n)}`)));
    const records = (): Record[] =>
      deliveries('/logs/batch').flatMap(({ body }) => JSON.parse(body.toString()) as Record[]);
    await expect.poll(() => records().length, { timeout: 15_000 }).toBe(23);
    expect(new Set(records().map(({ request: { uri } }) => uri)).size).toBe(23);
    for (const { body } of deliveries('/logs/batch'))
      expect((JSON.parse(body.toString()) as Record[]).length).toBeLessThanOrEqual(5);
  });

  test('a webhook is pinged when it is made, and called for a request', async () => {
    const api = new HooksApi(kong);
    const sources = await api.call('GET', '/sources/http-log-enterprise');
    expect(await sources.json()).toMatchObject({
      data: { log: { fields: ['consumer', 'ip', 'service', 'route'] } },
    });
    const made = await api.call('POST', '', {
      source: 'http-log-enterprise',
      event: 'log',
      handler: 'webhook',
      config: { url: `${fromPluginServer(pluginServer, machine.port)}/webhook` },
    });
    expect(made.status).toBe(201);
    const { id } = (await made.json()) as Hook;
    const hooks = () => deliveries('/webhook').map(({ body }) => JSON.parse(body.toString()) as object);
    await expect.poll(() => hooks().length, { timeout: 10_000 }).toBe(1);
    expect(hooks()[0]).toMatchObject({ source: 'kong:event_hooks', event: 'ping' });
    await request('/single?n=2');
    await expect.poll(() => hooks().length, { timeout: 10_000 }).toBe(2);
    expect(hooks()[1]).toMatchObject({
      source: 'http-log-enterprise',
      event: 'log',
      service: { name: 'upstream' },
      route: { name: 'single' },
      ip: expect.stringMatching(/^\d+\./) as string,
    });
    const gone = await api.call('DELETE', `/${id}`);
    expect(gone.status).toBe(204);
  });

  test('a changed configuration sends records to the new place', async () => {
    await kong.configure(config('changed'));
    await expect
      .poll(
        async () => {
          await request('/single?n=3');
          return deliveries('/logs/changed').length;
        },
        { timeout: 15_000, interval: 300 },
      )
      .toBeGreaterThan(0);
  });

  test('a reload with another file does, too', async () => {
    await kong.reload(config('reloaded'));
    await expect
      .poll(
        async () => {
          await request('/single?n=4');
          return deliveries('/logs/reloaded').length;
        },
        { timeout: 15_000, interval: 300 },
      )
      .toBeGreaterThan(0);
  });
});
