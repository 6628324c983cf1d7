import { execFile, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFront } from '../../src/kong-watch/front/front.ts';
import { parseServeOptions } from '../../src/event-hooks/serve/options.ts';
import { call, startFront, startKong } from './support/front.ts';
import { tempDir } from './support/setup.ts';

const told = (bodies: Record<string, unknown>[]): string[] =>
  bodies.map((body) => `${String(body.schema)} ${String(body.operation)}`);

describe('one Admin API', { timeout: 60_000 }, () => {
  it("answers what is the hooks' and passes on what is Kong's", async () => {
    const kong = await startKong({ workspaces: true });
    const { url } = await startFront(kong.url);
    await call('POST', `${kong.url}/workspaces`, { name: 'blue' });
    for (const path of [
      '/',
      '/services',
      '/nosuch',
      '/blue/consumers',
      '/services/event-hooks',
      '/endpoints',
    ]) {
      const [own, through] = [await call('GET', `${kong.url}${path}`), await call('GET', `${url}${path}`)];
      expect([through.status, through.body], path).toEqual([own.status, own.body]);
    }
    for (const path of [
      '/event-hooks',
      '/blue/event-hooks',
      '/event-hooks/sources',
      '/event-hooks/metrics',
    ]) {
      expect((await call('GET', `${url}${path}`)).status, path).toBe(200);
    }
    // Kong's own metrics, or that it has none.
    expect((await call('GET', `${url}/metrics`)).status).toBe(404);
    const refused = await call('PATCH', `${url}/status`, {});
    expect([refused.status, refused.body]).toEqual([405, { message: 'Method not allowed' }]);
  });

  it('a write that passes through is heard of at once, however long the interval', async () => {
    const kong = await startKong();
    const { url, receiver, hook } = await startFront(kong.url, ['--crud-interval', '3600']);
    await hook('crud', null);
    await hook('dao:crud', 'delete');
    await call('POST', `${url}/services`, { name: 's', url: 'http://127.0.0.1:9' });
    await call('POST', `${url}/services/s/routes`, { name: 'r', paths: ['/r'] });
    await receiver.until('/hook', 2);
    await call('PATCH', `${url}/services/s`, { retries: 1 });
    await receiver.until('/hook', 3);
    await call('DELETE', `${url}/routes/r`);
    await receiver.until('/hook', 5);
    expect(told(receiver.bodies('/hook'))).toEqual([
      'services create',
      'routes create',
      'services update',
      'routes delete',
      'routes delete',
    ]);
    expect(receiver.bodies('/hook')[2]).toMatchObject({ entity: { retries: 1 }, old_entity: { retries: 5 } });
    const metrics = String((await call('GET', `${url}/event-hooks/metrics`)).body.text);
    expect(metrics).toContain(
      'kong_ts_event_hooks_watch_changes_total{kind="services",operation="update"} 1',
    );
    expect(metrics).toMatch(/watch_looks_total\{kind="routes"\} [1-9]/);
    expect(metrics).toMatch(/watch_look_seconds_count\{kind="routes"\} [1-9]/);
    expect(metrics).toMatch(/watch_errors_total 0/);
    const sources = await call('GET', `${url}/event-hooks/sources/crud`);
    expect(Object.keys(sources.body.data as object)).toEqual(
      expect.arrayContaining(['keyauth_credentials', 'keyauth_credentials:create']),
    );
  });

  it('the first hook hears of what changes from the answer to its creation on', async () => {
    const kong = await startKong();
    const { url, receiver } = await startFront(kong.url, ['--crud-interval', '0.2']);
    await call('POST', `${kong.url}/consumers`, { username: 'before' });
    await call('POST', `${url}/event-hooks`, {
      source: 'crud',
      event: 'consumers',
      handler: 'webhook',
      config: { url: receiver.url('/hook') },
    });
    await call('POST', `${kong.url}/consumers`, { username: 'after' });
    await receiver.until('/hook', 1);
    expect(receiver.bodies('/hook')[0]?.entity).toMatchObject({ username: 'after' });
  });

  it('sensitive fields are left out unless asked for', async () => {
    for (const [args, key] of [
      [[], undefined],
      [['--crud-secrets'], 'topsecret'],
    ] as const) {
      const kong = await startKong();
      const { url, receiver, hook } = await startFront(kong.url, args);
      await hook('crud', 'keyauth_credentials');
      await call('POST', `${url}/consumers`, { username: 'alice' });
      await call('POST', `${url}/consumers/alice/key-auth`, { key: 'topsecret' });
      await receiver.until('/hook', 1);
      expect((receiver.bodies('/hook')[0]?.entity as { key?: string }).key).toBe(key);
    }
  });

  it("balancer: a target's health, in any workspace, also over a restart", async () => {
    const kong = await startKong({ workspaces: true });
    const folder = tempDir();
    const args = ['--crud-interval', '0.2', '--data-dir', folder];
    const first = await startFront(kong.url, args);
    await first.hook('balancer', 'health');
    await call('POST', `${kong.url}/workspaces`, { name: 'blue' });
    await call('POST', `${kong.url}/blue/upstreams`, {
      name: 'up',
      healthchecks: { active: { healthy: { interval: 1 }, unhealthy: { interval: 1 } } },
    });
    const target = await call('POST', `${kong.url}/blue/upstreams/up/targets`, { target: '127.0.0.1:81' });
    const set = (health: string): Promise<unknown> =>
      call('PUT', `${kong.url}/blue/upstreams/up/targets/${String(target.body.id)}/${health}`);
    await call('GET', `${first.url}/upstreams`);
    // Seen once as it is.
    const rounds = async (): Promise<void> => {
      const watch = /watch_looks_total\{kind="health"\} (\d+)/;
      const count = async (): Promise<number> =>
        Number(
          watch.exec(String((await call('GET', `${first.url}/event-hooks/metrics`)).body.text))?.[1] ?? 0,
        );
      const before = await count();
      await expect.poll(count, { interval: 30 }).toBeGreaterThan(before + 1);
    };
    await rounds();
    await set('unhealthy');
    await first.receiver.until('/hook', 1);
    expect(first.receiver.bodies('/hook')[0]).toEqual({
      source: 'balancer',
      event: 'health',
      upstream_id: expect.any(String) as string,
      ip: '127.0.0.1',
      port: 81,
      hostname: '127.0.0.1',
      health: 'unhealthy',
    });
    await first.served.stop();
    await set('healthy');
    const second = await startFront(kong.url, args);
    await first.receiver.until('/hook', 2);
    expect(first.receiver.bodies('/hook')[1]?.health).toBe('healthy');
    expect(second.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('tokens', () => {
  it("the hooks' own token protects the hooks; Kong's goes to Kong as it is", async () => {
    const seen: (string | undefined)[] = [];
    const kong = createServer((request, response) => {
      seen.push(request.headers['kong-admin-token'] as string | undefined);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":[]}');
    });
    await new Promise<void>((resolve) => kong.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      kong.closeAllConnections();
      kong.close();
    });
    const { port } = kong.address() as AddressInfo;
    const { url } = await startFront(`http://127.0.0.1:${String(port)}`, ['--kong-admin-token', 'watcher'], {
      KONG_TS_ADMIN_TOKEN: 'ours',
    });
    expect((await call('GET', `${url}/event-hooks`)).status).toBe(401);
    expect((await call('GET', `${url}/event-hooks`, undefined, { 'kong-admin-token': 'ours' })).status).toBe(
      200,
    );
    expect((await call('GET', `${url}/services`, undefined, { 'kong-admin-token': 'theirs' })).status).toBe(
      200,
    );
    expect((await call('GET', `${url}/services`)).status).toBe(200);
    expect(seen).toEqual(['theirs', undefined]);
  });
});

describe('options', () => {
  const parse = (...args: string[]) => parseServeOptions(args, { KONG_ADMIN_TOKEN: 't' });
  it('intervals for all kinds and for one, the token from the environment', () => {
    const options = parse(
      '--kong-admin',
      'http://kong:8001',
      '--crud-interval',
      '10',
      '--crud-interval',
      'consumers=30',
    );
    expect(options.kong).toEqual({
      url: 'http://kong:8001',
      token: 't',
      secrets: false,
      lendLogin: false,
      intervalMs: 10_000,
      intervals: { consumers: 30_000 },
    });
    expect(parse().kong).toBeNull();
  });
  it.each([
    [['--kong-admin', 'kong:8001'], /needs a URL/],
    [['--kong-admin', 'http://k', '--crud-interval', 'soon'], /--crud-interval needs seconds/],
    [['--kong-admin', 'http://k', '--crud-interval', '0'], /--crud-interval needs seconds/],
    [['--crud-interval', '5'], /--crud-interval needs --kong-admin/],
    [['--crud-secrets'], /--crud-secrets needs --kong-admin/],
  ])('%j is refused', (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });
});

describe('whose path it is', () => {
  const front = createFront('http://127.0.0.1:1', {
    lookNow: () => undefined,
    isCollection: (segment) => segment === 'my-things',
  });
  it.each([
    ['/services/event-hooks', false],
    ['/consumers/event-hooks?x=1', false],
    ['/my-things/event-hooks', false],
    ['/blue/event-hooks', true],
    ['/event-hooks/x/ping', true],
  ])('%s: %s', (path, ours) => {
    expect(front.isOurs(path)).toBe(ours);
  });
});

const deck = process.env.KONG_TS_TEST_DECK ?? 'deck';
const noDeck = spawnSync(deck, ['version']).status !== 0;

describe('decK', () => {
  it.skipIf(noDeck)(`syncs a file through the front (skipped where the machine has no deck)`, async () => {
    const kong = await startKong({ version: '2.8.1' });
    const { url, receiver, hook } = await startFront(kong.url, ['--crud-interval', '3600']);
    await hook('crud', null);
    const file = join(tempDir(), 'kong.yaml');
    writeFileSync(
      file,
      [
        '_format_version: "1.1"',
        'services:',
        '- name: api',
        '  url: http://127.0.0.1:9/base',
        '  routes:',
        '  - name: api-route',
        '    paths: [/api]',
        'consumers:',
        '- username: alice',
        '  keyauth_credentials:',
        '  - key: topsecret',
        '',
      ].join('\n'),
    );
    const run = (command: string, address: string): Promise<{ failed: boolean; output: string }> =>
      new Promise((resolve) => {
        const state = command === 'dump' ? ['-o', '-'] : ['-s', file];
        const args = [command, '--kong-addr', address, ...state];
        execFile(
          deck,
          args,
          { timeout: 10_000, env: { ...process.env, DECK_ANALYTICS: 'off' } },
          (error, out, err) => {
            resolve({ failed: error !== null, output: `${out}${err}` });
          },
        );
      });
    const synced = await run('sync', url);
    expect(synced.failed, synced.output).toBe(false);
    await receiver.until('/hook', 4);
    expect(told(receiver.bodies('/hook')).sort()).toEqual([
      'consumers create',
      'keyauth_credentials create',
      'routes create',
      'services create',
    ]);
    // The same through the front as straight to Kong, whatever this age of decK makes of it.
    expect(await run('dump', url)).toEqual(await run('dump', kong.url));
  });
});
