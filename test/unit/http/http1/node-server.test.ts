import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { NodeHandler } from '../../../../src/http/http1/node-server.ts';
import { createNodeServer } from '../../../../src/http/http1/node-server.ts';
import { httpLimits } from '../../../../src/http/limits.ts';

let server: Server | null = null;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  server = null;
});

async function listen(handle: NodeHandler, limits: Partial<typeof httpLimits> = {}): Promise<number> {
  server = createNodeServer({
    limits: { ...httpLimits, ...limits },
    handle,
    refuse: (status, response) => {
      response.shouldKeepAlive = false;
      response.writeHead(status).end();
    },
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** What comes back until the server ends the connection. */
function exchange(port: number, bytes: string, half = false): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: half });
    const pieces: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(Buffer.concat(pieces).toString('latin1')));
    if (half) socket.end(bytes, 'latin1');
    else socket.write(bytes, 'latin1');
  });
}

const statuses = (text: string): string[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status = '']) => status);
const last = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

describe('a server of node:http that reads as nginx does', () => {
  it('answers requests one after the other, in their order, and ends where the client says so', async () => {
    const port = await listen((request, response) => {
      setTimeout(() => response.end(request.url), request.url === '/slow' ? 20 : 0);
    });
    const text = await exchange(port, `GET /slow HTTP/1.1\r\nHost: a\r\n\r\n${last}GET /behind HTTP/1.1\r\n`);
    expect(statuses(text)).toEqual(['200', '200']);
    expect(text).toMatch(/\/slow[^]*\/last$/);
  });

  it('lets a large answer wait for a slow reader, and goes on with the next request', async () => {
    const size = 8 * 1024 * 1024;
    const port = await listen((request, response) => {
      if (request.url === '/last') {
        response.end('last');
        return;
      }
      response.writeHead(200, { 'Content-Length': size });
      const piece = Buffer.alloc(64 * 1024, 'x');
      let left = size;
      const more = (): void => {
        while (left > 0) {
          left -= piece.length;
          if (!response.write(piece)) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    const text = await exchange(port, `GET /large HTTP/1.1\r\nHost: a\r\n\r\n${last}`);
    expect(statuses(text)).toEqual(['200', '200']);
    expect(text.length).toBeGreaterThan(size);
  });

  it('ends the connection after an answer that says so, without reading what is left', async () => {
    const port = await listen((_request, response) => {
      response.shouldKeepAlive = false;
      response.writeHead(403).end();
    });
    const text = await exchange(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf');
    expect(text).toMatch(/^HTTP\/1\.1 403 [^]*connection: close/i);
  });

  it('and one over HTTP/1.0, to a client that has closed its side', async () => {
    const port = await listen((_request, response) => response.end('whole'));
    expect(await exchange(port, 'GET / HTTP/1.0\r\n\r\n', true)).toMatch(/Connection: close[^]*whole$/);
  });

  it('takes the host of an absolute target where nothing else says one', async () => {
    const port = await listen((request, response) =>
      response.end(`${request.headers.host ?? ''} ${request.rawHeaders.join(' ')} ${request.url ?? ''};`),
    );
    const text = await exchange(
      port,
      `GET http://a/x HTTP/1.1\r\nHost: a:1\r\n\r\nGET http://A.:8/x HTTP/1.1\r\nHost: a\r\n\r\n${last}`,
    );
    expect(text).toContain('a:1 Host a:1 /x;');
    expect(text).toContain('a Host a /x;');
    expect(await exchange(port, 'GET http://B.c:8/x HTTP/1.0\r\n\r\n')).toContain('b.c Host b.c /x;');
  });

  it('refuses a target that names another server than Host, and reads nothing after it', async () => {
    const port = await listen((_request, response) => response.end());
    for (const target of ['http://b.c/x', 'http://a.b/x', 'http://[::1]/x', 'https://ab/'])
      expect(
        statuses(await exchange(port, `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n${last}`)),
        target,
      ).toEqual(['400']);
  });

  it('tells a handler of a client that goes away, and of one whose body never ends', async () => {
    const seen: string[] = [];
    const port = await listen(
      (request, response) => {
        request.on('error', (error) => {
          seen.push(error.name);
          response.destroy();
        });
        response.on('close', () => seen.push(request.url ?? ''));
        request.resume();
        if (request.url === '/gone') client.resetAndDestroy();
      },
      // A head that is read late on a busy machine is not to be late.
      { requestTimeout: 1000, headersTimeout: 1000 },
    );
    const client = connect(port, '127.0.0.1');
    client.write('POST /gone HTTP/1.1\r\nHost: a\r\n\r\n');
    await expect.poll(() => seen).toEqual(['/gone']);
    await exchange(port, 'POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf');
    await expect.poll(() => seen).toEqual(['/gone', 'BodyStalled', '/slow']);
  });

  it('sends clients away that never finish a head', async () => {
    const port = await listen((_request, response) => response.end(), { headersTimeout: 40 });
    expect(statuses(await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nX-'))).toEqual(['408']);
  });

  it('ends idle connections when it closes, and busy ones after their answer', async () => {
    let answer = (): void => undefined;
    let asked = false;
    const port = await listen((request, response) => {
      asked = true;
      answer = () => void response.end(request.url);
    });
    const idle = exchange(port, '');
    const busy = exchange(port, 'GET /busy HTTP/1.1\r\nHost: a\r\n\r\n');
    await expect.poll(() => asked).toBe(true);
    const connections = (): Promise<number> =>
      new Promise((resolve) => server?.getConnections((_, count) => resolve(count)));
    await expect.poll(connections).toBe(2);
    server?.close();
    expect(await idle).toBe('');
    answer();
    expect(await busy).toMatch(/\/busy$/);
  });
});
