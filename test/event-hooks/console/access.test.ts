import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { AdminOptions } from '../../../src/event-hooks/admin/server.ts';
import { handlerKinds } from '../../../src/event-hooks/handlers/kinds.ts';
import { ManualClock } from '../support/clock.ts';
import { bench, tempDir } from '../support/setup.ts';
import type { Bench } from '../support/setup.ts';

const loopback = { loopback: true, names: [] };
const network = { loopback: false, names: [] };
const own = { host: '127.0.0.1:8011', origin: 'http://127.0.0.1:8011', 'sec-fetch-site': 'same-origin' };
const page = { ...own, 'kong-ts-console': '1' };
const hook = {
  source: 's',
  handler: 'webhook',
  config: { url: 'http://127.0.0.1:1/x', secret: 'a-long-secret' },
};

const open = (token: string | null, more: AdminOptions = {}): Promise<Bench> =>
  bench({}, token, handlerKinds, { callers: loopback, readToken: token === null ? null : 'look', ...more });

async function login(b: Bench, token: string, headers: Record<string, string> = page) {
  const answer = await b.api('POST', '/event-hooks/session', { token }, headers);
  const set = (answer.headers['set-cookie'] ?? '') as string;
  return { answer, set, cookie: set.split(';')[0] ?? '' };
}

describe('a session', () => {
  it('is not needed on this machine without a token', async () => {
    const b = await open(null);
    expect((await b.api('GET', '/event-hooks/session', undefined, own)).body).toEqual({
      role: 'admin',
      login: false,
      payloads: true,
      expires_at: null,
      csrf_header: 'kong-ts-console',
    });
    expect((await b.api('POST', '/event-hooks', hook, page)).status).toBe(201);
  });

  it('begins with a token, once, and is a cookie that no script reads and no other site sends', async () => {
    const b = await open('secret');
    expect((await b.api('GET', '/event-hooks/session', undefined, own)).body).toMatchObject({
      role: null,
      login: true,
    });
    expect((await b.api('GET', '/event-hooks', undefined, own)).status).toBe(401);
    const { answer, set, cookie } = await login(b, 'secret');
    expect(answer).toMatchObject({ status: 200, body: { role: 'admin', login: true, payloads: true } });
    expect(set).toMatch(
      /^kong_ts_session=[\w.-]+; Path=\/event-hooks; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    expect(set).not.toContain('secret');
    expect((await b.api('GET', '/event-hooks', undefined, { ...own, cookie })).status).toBe(200);
    expect((await b.api('POST', '/event-hooks', hook, { ...page, cookie })).status).toBe(201);
    const https = await login(b, 'secret', { ...page, 'x-forwarded-proto': 'https' });
    expect(https.set).toMatch(/; Secure$/);
  });

  it('does not begin with another token, nor from a page of another site', async () => {
    const b = await open('secret');
    expect((await login(b, 'wrong')).answer.status).toBe(401);
    expect((await b.api('POST', '/event-hooks/session', {}, page)).status).toBe(400);
    for (const headers of [
      own,
      { ...page, origin: 'http://evil.test', 'sec-fetch-site': 'cross-site' },
      { ...page, 'sec-fetch-site': 'same-site' },
    ])
      expect((await login(b, 'secret', headers)).answer.status).toBe(403);
  });

  it('ends with its time, its user, or another token, and cannot be made up', async () => {
    const clock = new ManualClock();
    const b = await bench({ clock }, 'secret', handlerKinds, { callers: loopback, readToken: 'look' });
    const list = async (cookie: string, on = b): Promise<number> =>
      (await on.api('GET', '/event-hooks', undefined, { ...own, cookie })).status;
    const first = await login(b, 'secret');
    const second = await login(b, 'secret');
    expect(await list(`other=1; ${first.cookie}`)).toBe(200);
    expect(
      (await b.api('DELETE', '/event-hooks/session', undefined, { ...own, cookie: first.cookie })).status,
    ).toBe(403);
    const ended = await b.api('DELETE', '/event-hooks/session', undefined, { ...page, cookie: first.cookie });
    expect([ended.status, ended.headers['set-cookie']]).toEqual([204, expect.stringContaining('Max-Age=0')]);
    expect([await list(first.cookie), await list(second.cookie)]).toEqual([401, 200]);
    const [name = '', value = ''] = second.cookie.split('=');
    for (const forged of [
      value.replace(/^admin/, 'read'),
      value.replace(/\.\d+\./, '.9999999999999.'),
      value.slice(0, -1),
      `${value}x`,
      '',
      'admin',
    ])
      expect([forged, await list(`${name}=${forged}`)]).toEqual([forged, 401]);
    // The reader's token signs readers' sessions only.
    const reader = await login(b, 'look');
    expect(await list(reader.cookie.replace('read.', 'admin.'))).toBe(401);
    const other = await bench({ clock }, 'another', handlerKinds, { callers: loopback });
    expect(await list(second.cookie, other)).toBe(401);
    await clock.advance(43_200_000);
    expect(await list(second.cookie)).toBe(401);
  });
});

describe('what changes something', () => {
  it('is refused from a page that does not say so, or is another one, whoever is logged in', async () => {
    const b = await open('secret');
    const { cookie } = await login(b, 'secret');
    const token = { 'kong-admin-token': 'secret' };
    const { id } = (await b.api<{ id: string }>('POST', '/event-hooks', hook, token)).body;
    const attempts: [string, string][] = [
      ['POST', '/event-hooks'],
      ['PATCH', `/event-hooks/${id}`],
      ['DELETE', `/event-hooks/${id}`],
      ['GET', `/event-hooks/${id}/ping`],
      ['POST', `/event-hooks/${id}/test`],
      ['POST', `/event-hooks/${id}/replay`],
    ];
    const forged: Record<string, string>[] = [
      { ...own, cookie },
      { ...page, cookie, 'sec-fetch-site': 'cross-site' },
      { ...page, cookie, 'sec-fetch-site': 'same-site' },
      { ...page, cookie, 'sec-fetch-site': 'none' },
      { host: own.host, cookie },
      // A browser that says no Sec-Fetch-Site, as over plain HTTP in a network.
      { host: own.host, cookie, 'kong-ts-console': '1', origin: 'http://evil.test' },
      { host: own.host, cookie, 'kong-ts-console': '1', origin: 'null' },
      { host: own.host, cookie, 'kong-ts-console': '1' },
    ];
    for (const [method, url] of attempts)
      for (const headers of forged)
        expect([
          method,
          url,
          headers,
          (await b.api(method, url, method === 'GET' ? undefined : {}, headers)).status,
        ]).toEqual([method, url, headers, 403]);
    const plain = { host: own.host, origin: own.origin, cookie, 'kong-ts-console': '1' };
    expect((await b.api('PATCH', `/event-hooks/${id}`, { snooze: 3 }, plain)).status).toBe(200);
  });

  it('is refused on this machine without a token as well; programs send no such headers and go on as before', async () => {
    const b = await open(null);
    expect((await b.api('POST', '/event-hooks', hook)).status).toBe(201);
    expect((await b.api('POST', '/event-hooks', hook, own)).status).toBe(403);
    expect((await b.api('POST', '/event-hooks', hook, page)).status).toBe(201);
  });
});

describe('a name that somebody else points at this machine', () => {
  it('gets neither page nor session, with and without a token', async () => {
    for (const token of [null, 'secret']) {
      const b = await open(token);
      const { cookie } = token === null ? { cookie: '' } : await login(b, token);
      const url = await b.admin.listen({ host: '127.0.0.1', port: 0 });
      const { port } = new URL(url);
      const get = async (path: string, host: string): Promise<number> => {
        const { request } = await import('node:http');
        return new Promise((resolve, reject) => {
          request({ host: '127.0.0.1', port, path, headers: { host, cookie } }, (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          })
            .on('error', reject)
            .end();
        });
      };
      for (const path of ['/console/', '/event-hooks'])
        expect([path, await get(path, 'rebound.evil.test')]).toEqual([path, 403]);
      expect(await get('/event-hooks', `localhost:${port}`)).toBe(200);
    }
  });
});

describe('a token that may look', () => {
  it('reads hooks without their secrets, and changes and sends nothing', async () => {
    const b = await open('secret');
    const admin = { 'kong-admin-token': 'secret' };
    const { id } = (await b.api<{ id: string }>('POST', '/event-hooks', hook, admin)).body;
    const reader = { 'kong-admin-token': 'look' };
    const read = await b.api('GET', '/event-hooks', undefined, reader);
    expect(read.status).toBe(200);
    expect(JSON.stringify(read.body)).not.toContain('a-long-secret');
    expect(JSON.stringify((await b.api('GET', `/event-hooks/${id}`, undefined, reader)).body)).not.toContain(
      'a-long',
    );
    expect((await b.api('GET', `/event-hooks/${id}`, undefined, admin)).body).toMatchObject({
      config: { secret: 'a-long-secret' },
    });
    for (const [method, url] of [
      ['POST', '/event-hooks'],
      ['PUT', `/event-hooks/${id}`],
      ['PATCH', `/event-hooks/${id}`],
      ['DELETE', `/event-hooks/${id}`],
      ['GET', `/event-hooks/${id}/ping`],
      ['HEAD', `/event-hooks/${id}/ping`],
      ['POST', `/event-hooks/${id}/test`],
      ['POST', '/event-hooks/events'],
    ] as const) {
      const { statusCode } = await b.admin.inject({ method, url, headers: reader });
      expect([method, url, statusCode]).toEqual([method, url, 403]);
    }
    expect(b.dispatcher.hooks.list()).toHaveLength(1);
  });

  it('sees payloads unless they are hidden from it, or from everybody', async () => {
    for (const [payloadView, admin, reader] of [
      ['all', true, true],
      ['admin', true, false],
      ['none', false, false],
    ] as const) {
      const b = await open('secret', { payloadView });
      const asAdmin = { 'kong-admin-token': 'secret' };
      const made = { source: 's', handler: 'webhook', config: { url: b.receiver.url('/x') } };
      const { id } = (await b.api<{ id: string }>('POST', '/event-hooks', made, asAdmin)).body;
      b.receiver.answer = (request, response) => response.end(request.body);
      b.hub.emit('s', 'e', { word: 'classified' });
      await b.receiver.until('/x', 1);
      await b.settled();
      for (const [token, sees] of [
        ['secret', admin],
        ['look', reader],
      ] as const) {
        const headers = { 'kong-admin-token': token };
        const list = await b.api<{ data: { id: string; payload: unknown }[] }>(
          'GET',
          `/event-hooks/${id}/deliveries?event=e`,
          undefined,
          headers,
        );
        const one = await b.api(
          'GET',
          `/event-hooks/deliveries/${list.body.data[0]?.id ?? ''}`,
          undefined,
          headers,
        );
        const found = await b.api('GET', `/event-hooks/${id}/deliveries?text=classified`, undefined, headers);
        const texts = [list.body, one.body].map((body) => JSON.stringify(body).includes('classified'));
        expect([payloadView, token, texts, found.status]).toEqual([
          payloadView,
          token,
          [sees, sees],
          sees ? 200 : 403,
        ]);
      }
    }
  });
});

describe('the page', () => {
  const built = (): URL => {
    const folder = tempDir();
    mkdirSync(join(folder, 'assets'));
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>console</title>');
    writeFileSync(join(folder, 'assets', 'index-abc.js'), 'export {}');
    writeFileSync(join(folder, 'assets', 'notes.txt'), 'not for the page');
    return pathToFileURL(`${folder}/`);
  };
  const get = async (b: Bench, url: string, headers: Record<string, string> = {}) =>
    b.admin.inject({ method: 'GET', url, headers: { host: '127.0.0.1:8011', ...headers } });

  it('is served from memory, with a policy that lets nothing else in, and is not sent twice', async () => {
    const b = await open('secret', { consoleFolder: built() });
    const html = await get(b, '/console/');
    expect([html.statusCode, html.headers['content-type'], html.headers['cache-control']]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-cache',
    ]);
    const script = await get(b, '/console/assets/index-abc.js');
    expect(script.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    for (const { headers } of [html, script, await get(b, '/console/nothing.js')]) {
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toContain('unsafe');
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
    const again = await get(b, '/console/', { 'if-none-match': String(html.headers.etag) });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    expect((await get(b, '/console')).headers.location).toBe('/console/');
  });

  it('has no other files than those of the build', async () => {
    const b = await open(null, { consoleFolder: built() });
    for (const path of [
      '/console/assets/notes.txt',
      '/console/../package.json',
      '/console/%2e%2e/package.json',
      '/console/assets/..%2findex.html',
      '/console/constructor',
      '/console/assets/',
    ])
      expect([path, (await get(b, path)).statusCode]).toEqual([path, 404]);
    expect((await b.admin.inject({ method: 'POST', url: '/console/' })).statusCode).toBe(404);
  });

  it('says what is missing where it was not built, and where a token is', async () => {
    const unbuilt = await open(null, { consoleFolder: pathToFileURL(`${tempDir()}/`) });
    expect(await get(unbuilt, '/console/')).toMatchObject({
      statusCode: 503,
      body: expect.stringContaining('npm run build') as string,
    });
    const exposed = await open(null, { consoleFolder: built(), callers: network });
    const refused = await get(exposed, '/console/');
    expect([refused.statusCode, refused.body]).toEqual([403, expect.stringContaining('--token-file')]);
    const guarded = await open('secret', { consoleFolder: built(), callers: network });
    expect((await get(guarded, '/console/', { host: 'kong.example.com' })).statusCode).toBe(200);
  });
});
