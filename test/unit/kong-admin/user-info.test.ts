import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { KongAdmin } from '../../../src/kong-admin/client.ts';
import { maskUserInfo, withoutUserInfo } from '../../../src/base/user-info.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe('user and password in the URL', () => {
  it('are sent as Authorization, also in a workspace, and not shown', async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(500).end('{}');
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const admin = new KongAdmin({ url: `http://me:p%40ss@${host}` });
    await admin.in('team').request('GET', '/services');
    expect(seen).toEqual([`Basic ${Buffer.from('me:p@ss').toString('base64')}`]);
    expect(admin.url).toBe(`http://${host}`);
    await expect(admin.list('/services')).rejects.toThrow(/^(?!.*p%40ss).*127\.0\.0\.1/);
  });

  it('a URL without them is shown as it was given', () => {
    expect(withoutUserInfo('http://kong:8001/')).toEqual({ shown: 'http://kong:8001/', authorization: null });
    expect(withoutUserInfo('http://u:%@kong:8001/admin')).toEqual({
      shown: 'http://kong:8001/admin',
      authorization: `Basic ${Buffer.from('u:%').toString('base64')}`,
    });
  });

  it('are not shown of what is not a URL either', () => {
    expect(() => new KongAdmin({ url: 'http://me:secret@kong:port' })).toThrow(/^(?!.*secret)/);
    expect(maskUserInfo('http://me:a/b@kong')).toBe('http://kong');
  });
});
