import { createServer as createHttpServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAdmin } from '../../src/event-hooks/admin/server.ts';
import { createDispatcher } from '../../src/event-hooks/dispatcher/index.ts';
import { createFront } from '../../src/event-hooks/front/front.ts';
import { parseServeOptions } from '../../src/event-hooks/serve/options.ts';
import { serveDispatcher } from '../../src/event-hooks/serve/serve.ts';
import { httpLimits } from '../../src/http/limits.ts';

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    (server as { closeAllConnections?: () => void }).closeAllConnections?.();
  });
  return (server.address() as AddressInfo).port;
}

interface Seen {
  line: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Stands in for Kong's Admin API: keeps what it reads, as Node's parser reads it. */
async function startKong(): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({
        line: `${request.method ?? ''} ${request.url ?? ''}`,
        headers: request.headers,
        body: Buffer.concat(chunks).toString('latin1'),
      });
      response.setHeader('content-type', 'application/json');
      response.end('{"data":[],"next":null}');
    });
  });
  return { port: await listen(server), seen };
}

/** A dispatcher in front of Kong, as `kong-ts hooks serve` starts it. */
async function startFront(kong: string, more: string[] = [], token = ''): Promise<number> {
  const options = parseServeOptions(
    ['--admin', '127.0.0.1:0', '--kong-admin', kong, '--crud-interval', '3600', ...more],
    { KONG_TS_ADMIN_TOKEN: token },
  );
  const served = await serveDispatcher({ ...options, dispatcher: { ...options.dispatcher, log: silent } });
  onTestFinished(() => served.stop());
  return Number(new URL(served.admin ?? '').port);
}

const nothing = (): void => undefined;
const silent = { debug: nothing, info: nothing, notice: nothing, warn: nothing, error: nothing };

/** Sends bytes as they are; what came back until the other end closed, or said nothing for a while. */
function raw(port: number, bytes: string | Buffer, quietMs = 500): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1');
    let text = '';
    const end = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(quietMs, () => {
      text += '(quiet)';
      end();
    });
    socket.on('error', end);
    socket.on('close', end);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.write(bytes);
  });
}

const statuses = (text: string): number[] =>
  [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));

describe('requests that readers could understand in two ways', () => {
  const inner = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
  const length = String(inner.length);
  const attacks: [name: string, head: string, body: string][] = [
    ['a length that Connection names', `Connection: content-length\r\nContent-Length: ${length}`, inner],
    ['the same, in other letters', `Connection: close, CONTENT-LENGTH\r\nContent-Length: ${length}`, inner],
    [
      'the coding that Connection names',
      'Connection: transfer-encoding\r\nTransfer-Encoding: chunked',
      `0\r\n\r\n${inner}`,
    ],
    ['length and coding', `Content-Length: ${length}\r\nTransfer-Encoding: chunked`, `0\r\n\r\n${inner}`],
    ['two lengths', `Content-Length: 0\r\nContent-Length: ${length}`, inner],
    ['two codings', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', `0\r\n\r\n${inner}`],
    ['a coding before chunked', 'Transfer-Encoding: gzip, chunked', `0\r\n\r\n${inner}`],
    ['a length with a sign', `Content-Length: +${length}`, inner],
    ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', `0\r\n\r\n${inner}`],
    ['two Hosts', 'Host: other.example', ''],
    [
      'a forwarded address that Connection names',
      'Connection: x-forwarded-for\r\nX-Forwarded-For: 1.2.3.4',
      '',
    ],
    ['what a browser says, named by Connection', 'Connection: Sec-Fetch-Site', ''],
  ];

  it.each(attacks)('are refused: %s', async (_, head, body) => {
    const kong = await startKong();
    const port = await startFront(`http://127.0.0.1:${String(kong.port)}`);
    const before = kong.seen.length;
    for (const method of ['DELETE', 'GET', 'POST']) {
      const text = await raw(port, `${method} /a1 HTTP/1.1\r\nHost: localhost\r\n${head}\r\n\r\n${body}`);
      expect([400, 501]).toContain(statuses(text)[0]);
    }
    expect(kong.seen.slice(before).map(({ line }) => line)).toEqual([]);
  });

  it.each([
    ['HTTP/1.0 with a coding', `POST /a HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked`],
    ['another server in the target', 'GET http://evil.example/a HTTP/1.1'],
    ['another server in the target of ours', 'GET http://evil.example/event-hooks HTTP/1.1'],
    ['a coding before chunked, to ours', 'POST /event-hooks HTTP/1.1\r\nTransfer-Encoding: gzip, chunked'],
    ['a web page', 'POST /a HTTP/1.1\r\nOrigin: null\r\nTransfer-Encoding: chunked'],
  ])('and nothing after them is read: %s', async (_, head) => {
    const kong = await startKong();
    const port = await startFront(`http://127.0.0.1:${String(kong.port)}`);
    const before = kong.seen.length;
    const text = await raw(
      port,
      `${head}\r\nHost: localhost\r\n\r\n${head.includes('chunked') ? '0\r\n\r\n' : ''}${inner}`,
    );
    expect(statuses(text)).toHaveLength(1);
    expect([400, 403, 501]).toContain(statuses(text)[0]);
    expect(kong.seen.length).toBe(before);
  });

  it('a body of a DELETE stays one', async () => {
    const kong = await startKong();
    const port = await startFront(`http://127.0.0.1:${String(kong.port)}`);
    const head = `DELETE /a1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`;
    expect(statuses(await raw(port, `${head}${inner}`))).toEqual([200]);
    const writes = kong.seen.filter(({ line }) => !line.startsWith('GET'));
    expect(writes).toEqual([expect.objectContaining({ line: 'DELETE /a1', body: inner })]);
    expect(kong.seen.some(({ line }) => line.includes('smuggled'))).toBe(false);
  });
});

describe('web pages', () => {
  const ask = (
    port: number,
    path: string,
    headers: Record<string, string>,
    method = 'GET',
    body = '',
  ): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port, path, method, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      request.on('error', reject);
      request.end(body);
    });
  const form = 'source=crud&handler=log';
  const typed = { 'content-type': 'application/x-www-form-urlencoded' };

  it('do not create hooks, read them or act in Kong, on loopback without a token', async () => {
    const kong = await startKong();
    const port = await startFront(`http://admin:pw@127.0.0.1:${String(kong.port)}`);
    const own = `localhost:${String(port)}`;
    const pages: Record<string, string>[] = [
      { host: own, origin: 'http://evil.example' },
      { host: own, origin: 'null' },
      { host: own, 'sec-fetch-site': 'cross-site' },
      { host: `evil.example:${String(port)}` },
      { host: `evil.example:${String(port)}`, origin: `http://evil.example:${String(port)}` },
    ];
    for (const headers of pages) {
      const why = JSON.stringify(headers);
      expect((await ask(port, '/event-hooks', { ...headers, ...typed }, 'POST', form)).status, why).toBe(403);
      expect((await ask(port, '/event-hooks', headers)).status, why).toBe(403);
      expect(
        (await ask(port, '/consumers', { ...headers, ...typed }, 'POST', 'username=a')).status,
        why,
      ).toBe(403);
    }
    expect(kong.seen.filter(({ line }) => line.startsWith('POST'))).toEqual([]);
    // Whoever is no browser passes.
    expect((await ask(port, '/event-hooks', { host: own, ...typed }, 'POST', form)).status).toBe(201);
    expect((await ask(port, '/services', { host: own })).status).toBe(200);
    expect(kong.seen.at(-1)?.headers.authorization).toBe(`Basic ${btoa('admin:pw')}`);
  });

  it('are not lent the login where a token guards the hooks', async () => {
    const kong = await startKong();
    const port = await startFront(`http://admin:pw@127.0.0.1:${String(kong.port)}`, [], 'secret');
    const lent = async (headers: Record<string, string>): Promise<boolean> => {
      await ask(port, '/services', headers);
      return kong.seen.at(-1)?.headers.authorization !== undefined;
    };
    expect(await lent({ host: 'localhost' })).toBe(true);
    expect(await lent({ host: 'localhost', origin: 'http://localhost' })).toBe(false);
    expect(await lent({ host: 'evil.example' })).toBe(false);
    expect(await lent({ host: 'localhost', 'sec-fetch-site': 'cross-site' })).toBe(false);
  });
});

describe('what Node cannot parse', () => {
  it('is answered by Kong: unknown methods, raw UTF-8 in the path, HTTP/1.0 without Host', async () => {
    const heads: string[] = [];
    const kong = await listen(
      createServer((socket) => {
        socket.on('error', nothing);
        socket.once('data', (chunk) => {
          heads.push(chunk.toString('utf8'));
          socket.end('HTTP/1.1 405 Not Allowed\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}');
        });
      }),
    );
    const port = await startFront(`http://admin:pw@127.0.0.1:${String(kong)}`);
    heads.length = 0;
    const odd = [
      'FOO /services HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'GET /services/caf\u00e9 HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'GET /services HTTP/1.0\r\n\r\n',
    ];
    for (const head of odd) expect(statuses(await raw(port, Buffer.from(head, 'utf8'))), head).toEqual([405]);
    expect(heads.map((head) => head.split('\r\n')[0])).toEqual([
      'FOO /services HTTP/1.1',
      'GET /services/caf\u00e9 HTTP/1.1',
      'GET /services HTTP/1.1',
    ]);
    // Such a connection carries nothing after it, and no login.
    expect(heads[0]).toContain('Connection: close');
    expect(heads[0]).not.toContain('Authorization');
  });

  it('is refused where a page sends it, or more than one thing in it', async () => {
    const kong = await startKong();
    const port = await startFront(`http://127.0.0.1:${String(kong.port)}`);
    const before = kong.seen.length;
    for (const head of [
      'FOO /a HTTP/1.1\r\nHost: evil.example\r\n\r\n',
      'FOO /a HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n',
      'FOO /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'FOO /a HTTP/1.1\r\nHost: localhost\r\n',
      'FOO http://x/ HTTP/1.1\r\nHost: localhost\r\n\r\n',
      '\u0000\u0001\u0002\r\n\r\n',
    ]) {
      expect(statuses(await raw(port, head)), head).toEqual([400]);
    }
    expect(kong.seen.length).toBe(before);
  });
});

it('an answer that HTTP cannot carry costs its own request only', async () => {
  const answers = [
    'HTTP/1.1 200 O\u0001K\r\nContent-Length: 2\r\n\r\n{}',
    'HTTP/1.1 200 OK\r\nX-A: a\u0001b\r\nContent-Length: 2\r\n\r\n{}',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
    'HTTP/1.1 99 No\r\nContent-Length: 2\r\n\r\n{}',
    'HTTP/1.1 1000 No\r\nContent-Length: 2\r\n\r\n{}',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    'nonsense\r\n\r\n',
    '',
  ];
  let next = '';
  const kong = await listen(
    createServer((socket) => {
      socket.on('error', nothing);
      socket.once('data', () => socket.end(Buffer.from(next, 'latin1')));
    }),
  );
  const port = await startFront(`http://127.0.0.1:${String(kong)}`);
  for (next of answers) {
    const text = await raw(port, 'GET /services HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(statuses(text).length, JSON.stringify(next)).toBe(1);
  }
  const hooks = await raw(port, 'GET /event-hooks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  expect(statuses(hooks)).toEqual([200]);
});

describe('slow clients', () => {
  const limits = { ...httpLimits, headersTimeout: 150, requestTimeout: 300, connectionsCheckingInterval: 50 };

  async function startAdmin(): Promise<{ port: number; server: Server }> {
    const dispatcher = await createDispatcher({ log: silent });
    const kong = createFront('http://127.0.0.1:1', { lookNow: nothing, isCollection: () => false });
    const admin = createAdmin(dispatcher, { limits, front: kong });
    onTestFinished(async () => {
      await admin.close();
      kong.close();
      await dispatcher.stop(0);
    });
    const url = await admin.listen({ host: '127.0.0.1', port: 0 });
    return { port: Number(new URL(url).port), server: admin.server };
  }

  it.each([
    ['heads', 'GET /event-hooks HTTP/1.1\r\nHost: localhost\r\nX-A'],
    ['bodies', 'POST /event-hooks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{'],
    ['bodies for Kong', 'POST /services HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{'],
  ])('that never finish their %s are sent away', async (_, bytes) => {
    const { port, server } = await startAdmin();
    const half = await Promise.all(Array.from({ length: 50 }, () => raw(port, bytes, 10_000)));
    expect(half.filter((text) => text.includes('(quiet)'))).toEqual([]);
    await expect.poll(() => new Promise((resolve) => server.getConnections((_, n) => resolve(n)))).toBe(0);
  });

  it('are limited where nobody said so, also behind a front', async () => {
    const dispatcher = await createDispatcher({ log: silent });
    onTestFinished(() => dispatcher.stop(0));
    const { server } = createAdmin(dispatcher);
    expect(server.headersTimeout).toBe(15_000);
    expect(server.requestTimeout).toBe(300_000);
    expect(server.maxConnections).toBe(1024);
  });
});
