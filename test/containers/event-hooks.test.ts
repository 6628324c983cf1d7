import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedKongContainer } from '../../src/testing/containers/index.ts';
import { HooksApi, verifySignatures } from './support/hooks.ts';
import { fromPluginServer, placements, startKong } from './support/kong.ts';
import type { Received, Recorder } from './support/recorder.ts';
import { startRecorder } from './support/recorder.ts';

const services = ['one', 'two', 'three'];

interface Payload {
  source: string;
  event: string;
  operation?: string;
  service?: { name: string };
  n?: string;
}

/** Event hooks of a gateway in a container: every handler, their Admin API from outside, crashes and reloads. */
describe.each(placements)('event hooks, plugin server %s', (pluginServer) => {
  let kong: StartedKongContainer;
  let machine: Recorder;
  let api: HooksApi;

  beforeAll(async () => {
    machine = await startRecorder();
    kong = await startKong({
      pluginServer,
      plugins: ['http-log-enterprise'],
      eventHooks: true,
      declarativeConfig: {
        _format_version: '3.0',
        services: services.map((name) => ({
          name,
          url: `http://host.docker.internal:${String(machine.port)}`,
          routes: [{ name: `to-${name}`, paths: [`/${name}`] }],
        })),
        plugins: [{ name: 'http-log-enterprise', config: { http_endpoint: target('/logs') } }],
      },
    });
    api = new HooksApi(kong);
  });

  afterAll(async () => {
    await kong?.stop();
    await machine?.close();
  });

  const target = (path: string): string => `${fromPluginServer(pluginServer, machine.port)}${path}`;
  const at = (path: string): Received[] => machine.received.filter(({ url }) => url === path);
  const payloads = (path: string): Payload[] =>
    at(path).map(({ body }) => JSON.parse(body.toString()) as Payload);
  const events = (path: string): Payload[] => payloads(path).filter(({ event }) => event !== 'ping');
  const onLog = (handler: string, config: object, more: object = {}): object => ({
    source: 'http-log-enterprise',
    event: 'log',
    handler,
    config,
    ...more,
  });

  async function request(path: string): Promise<void> {
    const answer = await fetch(`${kong.proxyUrl}${path}`);
    await answer.text();
    expect(answer.status).toBe(200);
  }

  const soon = { timeout: 20_000, interval: 100 };

  test('the Admin API from outside: create, list, change, ping, delete, and what it refuses', async () => {
    const hook = await api.create(onLog('webhook', { url: target('/crud') }));
    await expect.poll(() => payloads('/crud'), soon).toHaveLength(1);
    expect(payloads('/crud')[0]).toMatchObject({ event: 'ping', operation: 'create' });
    const list = (await (await api.call('GET', '')).json()) as { data: { id: string }[] };
    expect(list.data.map(({ id }) => id)).toContain(hook.id);
    const changed = await api.call('PATCH', `/${hook.id}`, { snooze: 60 });
    expect(await changed.json()).toMatchObject({ id: hook.id, snooze: 60 });
    const ping = await api.call('GET', `/${hook.id}/ping`);
    expect(ping.status).toBe(200);
    expect(await ping.json()).toMatchObject({
      source: 'kong:event_hooks',
      event: 'ping',
      event_hooks: { id: hook.id },
    });
    await expect.poll(() => payloads('/crud'), soon).toHaveLength(2);
    await api.remove(hook);
    expect((await api.call('GET', `/${hook.id}`)).status).toBe(404);
    const refused = await api.call('POST', '', onLog('webhook', {}));
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      code: 2,
      fields: { config: { url: expect.any(String) as string } },
    });
  });

  test('one webhook for the requests of several services, signed, beside their log records', async () => {
    const secret = 'between you and me';
    const hook = await api.create(onLog('webhook', { url: target('/signed'), secret }));
    await Promise.all(services.map((name) => request(`/${name}?hook=signed`)));
    await expect.poll(() => events('/signed'), soon).toHaveLength(services.length);
    expect(
      events('/signed')
        .map(({ service }) => service?.name)
        .sort(),
    ).toEqual([...services].sort());
    for (const delivery of at('/signed')) verifySignatures(delivery, secret);
    const records = () => at('/logs').filter(({ body }) => body.includes('hook=signed'));
    await expect.poll(records, soon).toHaveLength(services.length);
    await api.remove(hook);
  });

  test('webhook-custom: method, headers and payload from templates', async () => {
    const hook = await api.create(
      onLog('webhook-custom', {
        url: target('/custom'),
        method: 'PUT',
        headers: { 'content-type': 'application/json', 'x-route': '{{ route.name }}' },
        headers_format: true,
        payload: { text: '{{ service.name }} was asked by {{ ip }}', as_it_is: '{{ nothing }}' },
      }),
    );
    await request('/two?hook=custom');
    await expect.poll(() => at('/custom'), soon).toHaveLength(1);
    const [delivery] = at('/custom');
    expect(delivery?.method).toBe('PUT');
    expect(delivery?.headers).toMatchObject({ 'content-type': 'application/json', 'x-route': 'to-two' });
    expect(JSON.parse(delivery?.body.toString() ?? '')).toEqual({
      text: expect.stringMatching(/^two was asked by \d+\.\d+\.\d+\.\d+$/) as string,
      as_it_is: '',
    });
    await api.remove(hook);
  });

  test("log: a line in the server's log, and so in Kong's where Kong starts it", async () => {
    const hook = await api.create({ source: 'container-test', handler: 'log', config: {} });
    await api.emit('container-test', `log-${pluginServer}`, { n: 'a line to look for' });
    const line = () =>
      kong
        .logs()
        .split('\n')
        .find((text) => text.includes('a line to look for')) ?? '';
    await expect.poll(line, soon).toContain('container-test');
    expect(line()).toContain(hook.id);
    await api.remove(hook);
  });

  test('lambda: Lua sees the event; what is not true is a failure', async () => {
    const hook = await api.create(
      onLog(
        'lambda',
        {
          functions: [
            `return function (data, event, source, pid)
               return event == 'log' and source == 'http-log-enterprise' and data.route.name == 'to-one'
             end`,
          ],
        },
        { retry_schedule: [] },
      ),
    );
    await request('/one?hook=lambda');
    await expect.poll(() => api.states(hook), soon).toEqual(['delivered']);
    await request('/two?hook=lambda');
    await expect.poll(() => api.states(hook), soon).toEqual(['dead', 'delivered']);
    await api.remove(hook);
  });

  test('kill -9 of the server: what was accepted arrives', async () => {
    await survives('/killed', () => kong.restartPluginServer('SIGKILL'));
  });

  test('kong reload: what was accepted arrives', async () => {
    await survives('/reloaded', () => kong.reload());
  });

  /** Events are emitted while something happens; all that were accepted reach the webhook, doubles with one id. */
  async function survives(path: string, act: () => Promise<void>): Promise<void> {
    const source = `container-test${path}`;
    const hook = await api.create({ source, handler: 'webhook', config: { url: target(path) } });
    let over = false;
    const accepted: string[] = [];
    const emitting = (async () => {
      // A while longer, so that the server that comes after is met, too.
      for (let n = 0, after = 0; after < 20; n += 1) {
        await api.emit(source, `${pluginServer}-${path.slice(1)}-${String(n)}`, { n: String(n) });
        accepted.push(String(n));
        if (over) after += 1;
      }
    })();
    await act();
    over = true;
    await emitting;
    const arrived = () => new Set(events(path).map(({ n }) => n));
    await expect
      .poll(() => accepted.filter((n) => !arrived().has(n)), { timeout: 60_000, interval: 200 })
      .toEqual([]);
    // Who gets one twice can tell by the id of its delivery.
    const pings = payloads(path).length - events(path).length;
    const ids = new Set(at(path).map(({ headers }) => headers['webhook-id']));
    expect(ids.size - pings).toBeLessThanOrEqual(accepted.length);
    await api.remove(hook);
    await request('/one?after');
  }
});
