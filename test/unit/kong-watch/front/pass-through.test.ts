import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { isEventHooksPath, PassThrough } from '../../../../src/kong-watch/front/pass-through.ts';

const servers: Server[] = [];
const passes: PassThrough[] = [];

afterEach(async () => {
  for (const pass of passes.splice(0)) pass.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

async function front(
  target: string,
  writes: string[] = [],
  timeoutMs = 2000,
  lendLoginTo: 'everybody' | null = 'everybody',
): Promise<string> {
  const pass = new PassThrough({
    target: new URL(target),
    lendLoginTo,
    onWrite: (_, path) => writes.push(path),
    timeoutMs,
  });
  passes.push(pass);
  return listen(pass.handle);
}

interface Answer {
  status: number;
  message: string;
  raw: string[];
  body: Buffer;
}
function ask(
  url: string,
  options: { method?: string; headers?: string[]; body?: Buffer[] } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      { method: options.method ?? 'GET', headers: options.headers ?? {} },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            message: response.statusMessage ?? '',
            raw: response.rawHeaders,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    request.on('error', reject);
    for (const chunk of options.body ?? []) request.write(chunk);
    request.end();
  });
}

describe('what is passed through', () => {
  it('method, path, header spelling and order, repeated headers, body, status, reason', async () => {
    const seen: { line: string; raw: string[]; body: string }[] = [];
    const kong = await listen((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen.push({
          line: `${request.method ?? ''} ${request.url ?? ''}`,
          raw: request.rawHeaders,
          body: Buffer.concat(chunks).toString('latin1'),
        });
        response.writeHead(409, 'Conflict indeed', [
          'X-Kong-Admin-Latency',
          '3',
          'set-cookie',
          'a=1',
          'set-cookie',
          'b=2',
        ]);
        response.end(Buffer.from([0, 255, 10]));
      });
    });
    const url = await front(kong);
    const answer = await ask(`${url}/team%20a/services/x?size=1&tags=a,b`, {
      method: 'PATCH',
      headers: [
        'HoSt',
        'kong.example',
        'X-Twice',
        '1',
        'x-twice',
        '2',
        'Transfer-Encoding',
        'chunked',
        'Connection',
        'close, X-Hop',
        'X-Hop',
        'gone',
      ],
      body: [Buffer.from('{"a":'), Buffer.from('1}')],
    });
    expect(seen[0]?.line).toBe('PATCH /team%20a/services/x?size=1&tags=a,b');
    expect(seen[0]?.body).toBe('{"a":1}');
    const raw = seen[0]?.raw.join('|') ?? '';
    expect(raw).toContain('HoSt|kong.example|X-Twice|1|x-twice|2');
    expect(raw).not.toContain('gone');
    expect([answer.status, answer.message]).toEqual([409, 'Conflict indeed']);
    expect(answer.raw.join('|')).toContain('X-Kong-Admin-Latency|3|set-cookie|a=1|set-cookie|b=2');
    expect([...answer.body]).toEqual([0, 255, 10]);
  });

  it('streams an answer while Kong is still making it', async () => {
    let finish: (() => void) | undefined;
    const kong = await listen((_, response) => {
      response.write('first');
      finish = () => response.end('last');
    });
    const url = await front(kong);
    const body = await new Promise<string>((resolve, reject) => {
      httpRequest(url, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          if (text === 'first') finish?.();
        });
        response.on('end', () => resolve(text));
      })
        .on('error', reject)
        .end();
    });
    expect(body).toBe('firstlast');
  });

  it('tells of writes that succeeded, and of no others', async () => {
    const writes: string[] = [];
    const kong = await listen((request, response) => {
      request.resume();
      response.writeHead(request.url === '/services' ? 201 : 400).end();
    });
    const url = await front(kong, writes);
    await ask(`${url}/services`, { method: 'POST' });
    await ask(`${url}/routes`, { method: 'POST' });
    await ask(`${url}/services`);
    expect(writes).toEqual(['/services']);
  });
});

it('user and password in the target go to Kong, unless the client has its own', async () => {
  const seen: (string | undefined)[] = [];
  const kong = await listen((request, response) => {
    seen.push(request.headers.authorization);
    response.end();
  });
  const url = await front(kong.replace('//', '//me:secret@'));
  await ask(`${url}/services`);
  await ask(`${url}/services`, { headers: ['Host', 'x', 'Authorization', 'Bearer own'] });
  expect(seen).toEqual([`Basic ${Buffer.from('me:secret').toString('base64')}`, 'Bearer own']);
});

describe('a Kong that fails', () => {
  it('cannot be reached: 502 with a message', async () => {
    const url = await front('http://127.0.0.1:1');
    const answer = await ask(`${url}/services`);
    expect(answer.status).toBe(502);
    expect(answer.body.toString()).toContain('127.0.0.1:1 cannot be reached');
  });

  it('has closed an idle connection: a question is asked again on a new one, a write is not', async () => {
    const used = new WeakSet<object>();
    const lines: string[] = [];
    const kong = await listen((request, response) => {
      request.resume();
      lines.push(request.method ?? '');
      if (used.has(request.socket)) request.socket.resetAndDestroy();
      else response.end('ok');
      used.add(request.socket);
    });
    const url = await front(kong);
    for (let times = 0; times < 3; times += 1) expect((await ask(url)).status).toBe(200);
    expect(lines).toEqual(['GET', 'GET', 'GET', 'GET', 'GET']);
    lines.length = 0;
    expect((await ask(url, { method: 'POST', body: [Buffer.from('x')] })).status).toBe(502);
    expect(lines).toEqual(['POST']);
  });

  it('is silent: 502 after the limit', async () => {
    const url = await front(await listen(() => undefined), [], 50);
    expect((await ask(url)).status).toBe(502);
  });

  it('breaks off in the middle: the client sees it break off', async () => {
    const kong = await listen((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('part');
      setImmediate(() => response.destroy());
    });
    await expect(ask(await front(kong))).rejects.toThrow();
  });

  it('a client that goes away takes its request to Kong with it', async () => {
    let gone: (() => void) | undefined;
    const wasGone = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const kong = await listen((request, response) => {
      response.write('x');
      request.on('close', () => gone?.());
    });
    const { port } = new URL(await front(kong));
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    socket.once('data', () => socket.destroy());
    await wasGone;
  });
});

describe('whose path it is', () => {
  it.each(['/event-hooks', '/event-hooks?size=1', '/event-hooks/sources', '/team/event-hooks/x/ping'])(
    '%s is ours',
    (path) => {
      expect(isEventHooksPath(path)).toBe(true);
    },
  );
  it.each(['/', '/services', '/event-hooksx', '/services/event-hooks-service', '/a/b/event-hooks'])(
    "%s is Kong's",
    (path) => {
      expect(isEventHooksPath(path)).toBe(false);
    },
  );
});
