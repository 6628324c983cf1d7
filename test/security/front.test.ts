import type { IncomingMessage } from 'node:http';
import { createServer as createHttpServer, request as httpRequest } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAdmin } from '../../src/event-hooks/admin/server.ts';
import { createDispatcher } from '../../src/event-hooks/dispatcher/dispatcher.ts';
import { createFront } from '../../src/kong-watch/front/front.ts';
import { parseServeOptions } from '../../src/event-hooks/serve/options.ts';
import { serveDispatcher } from '../../src/event-hooks/serve/serve.ts';
import { httpLimits } from '../../src/http/limits.ts';
import { whenQuiet } from '../support/quiet-socket.ts';

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
    whenQuiet(socket, quietMs, () => {
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

  it('are refused where a token guards the hooks, too: a target that names another server than Host', async () => {
    const kong = await startKong();
    const port = await startFront(`http://admin:pw@127.0.0.1:${String(kong.port)}`, [], 'secret');
    const before = kong.seen.length;
    for (const path of ['/services', '/event-hooks']) {
      const head = `GET http://localhost${path} HTTP/1.1\r\nKong-Admin-Token: secret\r\nHost: `;
      const text = await raw(port, `${head}localhost\r\n\r\n${head}evil.example\r\n\r\n${inner}`);
      expect(text.match(/HTTP\/1\.1 \d+/g), path).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    }
    expect(kong.seen.slice(before).map(({ line }) => line)).toEqual(['GET /services']);
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
    // Whoever is not a browser passes.
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

/** A Kong that takes any method and target, and answers each request with a number; what it has read. */
async function startRawKong(): Promise<{
  port: number;
  seen: { line: string; head: string; body: string }[];
}> {
  const seen: { line: string; head: string; body: string }[] = [];
  const server = createServer((socket) => {
    let text = '';
    socket.on('error', nothing);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let read = requestIn(text); read !== null; read = requestIn(text)) {
        text = text.slice(read.length);
        const { head, body } = read;
        seen.push({ line: head.split('\r\n')[0] ?? '', head, body });
        const answer = `${String(seen.length)}\n`;
        const headOnly = head.startsWith('HEAD ');
        socket.write(
          `HTTP/1.1 209 Seen\r\nContent-Length: ${String(answer.length)}\r\n\r\n${headOnly ? '' : answer}`,
        );
      }
    });
  });
  return { port: await listen(server), seen };
}

/** The first request of what the front sends, which says one framing only; null where it is not whole. */
function requestIn(text: string): { head: string; body: string; length: number } | null {
  const end = text.indexOf('\r\n\r\n') + 4;
  if (end < 4) return null;
  const head = text.slice(0, end);
  const [lengths, codings] = [
    [...head.matchAll(/^content-length: (\d+)\r$/gim)],
    [...head.matchAll(/^transfer-encoding: chunked\r$/gim)],
  ];
  expect(lengths.length + codings.length).toBeLessThanOrEqual(1);
  const length = Number(lengths[0]?.[1] ?? 0);
  if (codings.length === 0)
    return text.length < end + length
      ? null
      : { head, body: text.slice(end, end + length), length: end + length };
  let at = end;
  let body = '';
  for (;;) {
    const [line, size = ''] = /^([\da-f]+)\r\n/i.exec(text.slice(at)) ?? [];
    if (line === undefined) return null;
    const bytes = Number.parseInt(size, 16);
    at += line.length;
    if (text.length < at + bytes + 2) return null;
    body += text.slice(at, at + bytes);
    at += bytes + 2;
    if (bytes === 0) return { head, body, length: at };
  }
}

interface Sent {
  method: string;
  target: string;
  /** How the target is written. */
  form: 'origin' | 'absolute';
  body: string | null;
  chunked: boolean;
  lineEnd: '\r\n' | '\n';
}

const bytesOf = ({ method, target, form, body, chunked, lineEnd }: Sent): string => {
  const content = body ?? '';
  const lines = [
    `${method} ${form === 'absolute' ? `http://localhost${target}` : target} HTTP/1.1`,
    'Host: localhost',
    ...(body === null
      ? []
      : [chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${String(content.length)}`]),
    '',
    '',
  ];
  const chunk = content === '' ? '' : `${content.length.toString(16)}\r\n${content}\r\n`;
  return lines.join(lineEnd) + (body === null ? '' : chunked ? `${chunk}0\r\n\r\n` : content);
};

describe('what Node cannot parse', () => {
  const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
  const sent: fc.Arbitrary<Sent> = fc.record({
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE', 'FOO', 'A-B_C', 'PROPPATCHES'),
    target: fc
      .constantFrom('/services', '/services/caf\u00e9?\u00fc=1', '/a"b<c>`{|}', '/\u65e5', '/?%zz')
      .map(latin1),
    form: fc.constantFrom('origin', 'absolute'),
    body: fc.constantFrom(null, '', 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n', 'x'.repeat(3000)),
    chunked: fc.boolean(),
    lineEnd: fc.constantFrom('\r\n', '\n'),
  });

  it('is answered by Kong, wherever it stands on its connection and however its bytes are split', async () => {
    const kong = await startRawKong();
    const port = await startFront(`http://127.0.0.1:${String(kong.port)}`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(sent, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(2000), { maxLength: 12 }),
        async (requests, cuts) => {
          const before = kong.seen.length;
          const socket = connect({ port, host: '127.0.0.1', noDelay: true });
          let text = '';
          socket.on('error', nothing).on('data', (chunk) => (text += chunk.toString('latin1')));
          const bytes = Buffer.from(requests.map(bytesOf).join(''), 'latin1');
          let at = 0;
          for (const cut of cuts) {
            socket.write(bytes.subarray(at, at + cut));
            at += cut;
            await new Promise((resolve) => setImmediate(resolve));
          }
          socket.write(bytes.subarray(at));
          await expect
            .poll(() => statuses(text), { interval: 2, timeout: 5000 })
            .toEqual(requests.map(() => 209));
          socket.destroy();
          expect(kong.seen.slice(before).map(({ line, body }) => ({ line, body }))).toEqual(
            requests.map(({ method, target, body }) => ({
              line: `${method} ${target} HTTP/1.1`,
              body: body ?? '',
            })),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('without a Host over HTTP/1.0, and with the login where others get it', async () => {
    const kong = await startRawKong();
    const port = await startFront(`http://admin:pw@127.0.0.1:${String(kong.port)}`);
    kong.seen.length = 0;
    for (const head of ['GET /services HTTP/1.0\r\n\r\n', 'FOO /services HTTP/1.0\r\n\r\n'])
      expect(statuses(await raw(port, head)), head).toEqual([209]);
    expect(kong.seen.map(({ line }) => line)).toEqual(['GET /services HTTP/1.1', 'FOO /services HTTP/1.1']);
    for (const { head } of kong.seen) {
      expect(head).toMatch(/^Host: 127\.0\.0\.1/m);
      expect(head).toContain('Authorization: Basic');
    }
  });

  it('is refused where a page sends it, or readers could understand it in two ways', async () => {
    const kong = await startRawKong();
    const port = await startFront(`http://127.0.0.1:${String(kong.port)}`);
    kong.seen.length = 0;
    const refused: [status: number, bytes: string][] = [
      [403, 'FOO /a HTTP/1.1\r\nHost: evil.example\r\n\r\n'],
      [403, 'FOO /a HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n'],
      [400, 'FOO http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n'],
      [403, 'FOO http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n'],
      [
        400,
        'FOO /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      [400, 'FOO /a HTTP/1.1\r\nHost: localhost\r\nX: a\u0001b\r\n\r\n'],
      [400, 'FOO /a HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n'],
      [400, 'FOO /a HTTP/1.1\r\nHost: localhost\r\nContent-Length : 3\r\n\r\nabc'],
      [400, 'FOO /a HTTP/1.1\r\nHost: localhost\r\nX: a\r\n Content-Length: 3\r\n\r\nabc'],
      [400, 'POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
      [400, '\u0000\u0001\u0002\r\n\r\n'],
      [405, 'TRACE /a HTTP/1.1\r\nHost: localhost\r\n\r\n'],
      [405, 'CONNECT /a HTTP/1.1\r\nHost: localhost\r\n\r\n'],
      [501, 'FOO /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n'],
      [505, 'FOO /a HTTP/2.0\r\nHost: localhost\r\n\r\n'],
      [414, `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
      [400, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(9000)}\r\n\r\n`],
    ];
    for (const [status, bytes] of refused) {
      // Behind a request that is whole, too.
      const first = 'GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n';
      for (const [before, expected] of [
        ['', [status]],
        [first, [209, status]],
      ] as const) {
        const text = await raw(port, Buffer.from(before + bytes, 'latin1'), 5000);
        expect(statuses(text), before + bytes).toEqual(expected);
        expect(text, before + bytes).not.toContain('(quiet)');
      }
    }
    expect(new Set(kong.seen.map(({ line }) => line))).toEqual(new Set(['GET /first HTTP/1.1']));
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
