import { afterEach, describe, expect, test } from 'vitest';
import type { TestGateway } from './support/gateway.ts';
import { testGateway } from './support/gateway.ts';
import type { RawUpstream } from './support/raw-upstream.ts';
import { getOnce, rawExchange, rawUpstream } from './support/raw-upstream.ts';
import type { Call } from './support/scripted-server.ts';

/** Which names are one header, and how names that are none are written (nginx 1.25.3 and ngx_lua, underscores_in_headers on). */
let gateway: TestGateway;
let upstream: RawUpstream;
afterEach(async () => gateway.close());

async function answerTo(access: readonly Call[], headers: readonly string[], up = ''): Promise<string> {
  upstream = await rawUpstream(`HTTP/1.1 200 OK\r\n${up}Content-Length: 0\r\n\r\n`);
  gateway = await testGateway({ upstream, protocol: 'msgpack', phases: ['access'], script: { access } });
  return rawExchange(gateway.sandbox.proxyUrl ?? '', getOnce('/', ...headers));
}
const asked = (): string => upstream.heads[0] ?? '';
const value = (method: string): unknown => gateway.server.calls.find((call) => call.method === method)?.value;
const set = (name: string, to: string): Call => ['kong.service.request.set_header', name, to];

describe('an underscore of a client', () => {
  test('makes another header: nothing of what Kong says or takes away touches it', async () => {
    const sent = ['X_Forwarded_For: me', 'X_Real_IP: me', 'Transfer_Encoding: chunked', 'Content_Length: 3'];
    await answerTo([], sent);
    for (const line of sent) expect(asked()).toContain(`\r\n${line}`);
    expect(asked()).toMatch(/\r\nX-Forwarded-For: 127\.0\.0\.1\r\n/);
    expect(asked()).not.toMatch(/\r\nContent-Length:/i);
  });

  test('goes on beside what a plugin sets, and stays where it clears the other', async () => {
    await answerTo(
      [set('X-User', 'alice'), ['kong.service.request.clear_header', 'X-Role']],
      ['X_User: admin', 'X_Role: admin', 'X-Role: user'],
    );
    expect(asked()).toMatch(/\r\nX_User: admin\r\n[^]*X_Role: admin\r\n[^]*X-User: alice/);
    expect(asked()).not.toContain('X-Role:');
  });

  test('is one with a dash for nginx’s variables', async () => {
    await answerTo([['kong.nginx.get_var', 'http_x_user']], ['X_User: a', 'x-user: b']);
    expect(value('kong.nginx.get_var')).toBe('a, b');
  });

  test('is not a length where a plugin sets it', async () => {
    await answerTo([set('content_length', '3')], []);
    expect(asked()).toContain('\r\ncontent_length: 3');
    expect(asked()).not.toMatch(/\r\nContent-Length:/i);
  });
});

describe('a name that is none', () => {
  const odd = 'x "(),/:;<=>?@[]{}\\|~!#%\r\n\u00e4';
  const written = 'x%20%22%28%29%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5D%7B%7D%5C|~!#%%0D%0A%C3%A4';

  test('goes to the upstream percent-encoded', async () => {
    await answerTo([set(odd, '1'), ['kong.service.request.set_headers', { 'a b': '2' }]], []);
    expect(asked()).toContain(`\r\n${written}: 1`);
    expect(asked()).toContain('\r\na%20b: 2');
  });

  test('goes to the client percent-encoded, and can be cleared', async () => {
    const text = await answerTo(
      [
        ['kong.response.set_header', odd, '1'],
        ['kong.response.set_header', 'a b', '2'],
        ['kong.response.clear_header', 'a b'],
      ],
      [],
    );
    expect(text).toContain(`\r\n${written}: 1\r\n`);
    expect(text).not.toContain('a%20b');
  });
});
