import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { StartedKongContainer } from '../../src/testing/containers/index.ts';
import { plugin, startKong } from './support/kong.ts';
import { once } from './support/load.ts';
import type { Recorder } from './support/recorder.ts';
import { startRecorder } from './support/recorder.ts';

const why = inject('withoutPostgres');

/** Kong with a database: entities come and go over the Admin API. */
describe.skipIf(why !== null)(`Postgres${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let kong: StartedKongContainer;
  let upstream: Recorder;

  beforeAll(async () => {
    upstream = await startRecorder();
    kong = await startKong({
      postgres: true,
      plugins: [plugin('mark-protobuf')],
      declarativeConfig: {
        _format_version: '3.0',
        services: [
          {
            name: 's',
            url: `http://host.docker.internal:${String(upstream.port)}`,
            routes: [{ name: 'r', paths: ['/r'] }],
          },
        ],
      },
    });
  });

  afterAll(async () => {
    await kong?.stop();
    await upstream?.close();
  });

  const admin = (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${kong.adminUrl}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const sees = (mark: string | null) =>
    expect
      .poll(() => once(`${kong.proxyUrl}/r`, 'x-mark'), { timeout: 20_000 })
      .toEqual({ status: 200, mark });

  test('a plugin is made, changed and removed over the Admin API', async () => {
    await sees(null);
    const made = await admin('POST', '/services/s/plugins', {
      name: 'mark-protobuf',
      config: { value: 'one' },
    });
    expect(made.status).toBe(201);
    const { id } = (await made.json()) as { id: string };
    await sees('one GET');
    expect((await admin('PATCH', `/plugins/${id}`, { config: { value: 'two' } })).status).toBe(200);
    await sees('two GET');
    expect((await admin('DELETE', `/plugins/${id}`)).status).toBe(204);
    await sees(null);
  });

  test('the schema refuses what the plugin does not take', async () => {
    const refused = await admin('POST', '/services/s/plugins', {
      name: 'mark-protobuf',
      config: { value: 7 },
    });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ fields: { config: { value: 'expected a string' } } });
  });
});

/** Entities over the Admin API: into Postgres, and into the sandbox, which keeps them in memory unless KONG_DATABASE is off. */
describe.skipIf(why !== null && !inject('sandbox'))(
  'a declarative configuration for a Kong with a database',
  () => {
    let kong: StartedKongContainer;
    let upstream: Recorder;

    const config = (value: string, path: string): object => ({
      _format_version: '3.0',
      services: [
        {
          name: 's',
          url: `http://host.docker.internal:${String(upstream.port)}`,
          routes: [{ name: 'r', paths: [path], plugins: [{ name: 'mark-protobuf', config: { value } }] }],
        },
      ],
      upstreams: [{ name: 'u', targets: [{ target: '127.0.0.1:1' }] }],
      consumers: [{ username: 'alice', keyauth_credentials: [{ key: 'alice-key' }] }],
    });
    const sees = (path: string, mark: string) =>
      expect
        .poll(() => once(`${kong.proxyUrl}${path}`, 'x-mark'), { timeout: 30_000 })
        .toEqual({ status: 200, mark });
    const count = async (path: string): Promise<number> => {
      const { data } = (await (await fetch(`${kong.adminUrl}${path}`)).json()) as { data: unknown[] };
      return data.length;
    };

    beforeAll(async () => {
      upstream = await startRecorder();
      kong = await startKong({
        ...(inject('sandbox') ? { environment: { KONG_DATABASE: 'postgres' } } : { postgres: true }),
        plugins: [plugin('mark-protobuf')],
        declarativeConfig: config('one', '/one'),
      });
    });

    afterAll(async () => {
      await kong?.stop();
      await upstream?.close();
    });

    test('is there after the start', async () => {
      await sees('/one', 'one GET');
    });

    test('a second one changes what is there, and what was made by hand stays', async () => {
      const made = await fetch(`${kong.adminUrl}/services`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'by-hand', url: 'http://127.0.0.1:1' }),
      });
      expect(made.status).toBe(201);
      await kong.configure(config('two', '/two'));
      await sees('/two', 'two GET');
      await kong.reload(config('three', '/two'));
      await sees('/two', 'three GET');
      for (const path of [
        '/routes',
        '/plugins',
        '/consumers',
        '/key-auths',
        '/upstreams',
        '/upstreams/u/targets',
      ])
        expect(await count(path), path).toBe(1);
      expect(await count('/services')).toBe(2);
    });

    test("what Kong refuses is told with the entity and Kong's answer", async () => {
      const wrong = { _format_version: '3.0', plugins: [{ name: 'mark-protobuf', config: { value: 7 } }] };
      await expect(kong.configure(wrong)).rejects.toThrow(
        /^Kong refused the plugin 'mark-protobuf' \(plugins\[0\]\) with 400: .*expected a string/,
      );
    });
  },
);

/** The same Admin API without a database behind it, as the sandbox has it unless KONG_DATABASE is off. */
describe.runIf(inject('sandbox'))('the sandbox keeps entities in memory', () => {
  test('an entity that the Admin API makes is used at once', async () => {
    const upstream = await startRecorder();
    const kong = await startKong({
      plugins: [plugin('mark-msgpack')],
      environment: { KONG_DATABASE: 'postgres' },
    });
    try {
      const post = async (path: string, body: object): Promise<void> => {
        const answer = await fetch(`${kong.adminUrl}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        expect(answer.status, await answer.text()).toBe(201);
      };
      await post('/services', { name: 's', url: `http://host.docker.internal:${String(upstream.port)}` });
      await post('/services/s/routes', { name: 'r', paths: ['/r'] });
      await post('/services/s/plugins', { name: 'mark-msgpack', config: { value: 'one' } });
      await expect
        .poll(() => once(`${kong.proxyUrl}/r`, 'x-mark'), { timeout: 20_000 })
        .toEqual({ status: 200, mark: 'one GET' });
    } finally {
      await kong.stop();
      await upstream.close();
    }
  });
});
