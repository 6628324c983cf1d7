import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { PostClient } from '../../../../src/http/client/index.ts';
import type { PostClientOptions, PostResult } from '../../../../src/http/client/index.ts';
import { selfSigned } from '../../../../src/sandbox/gateway/self-signed.ts';

/** A request as it came, and on which connection. */
interface Got {
  readonly body: string;
  readonly connection: number;
  readonly head: string;
}

interface Target {
  readonly port: number;
  readonly got: Got[];
  /** Bytes of each read. */
  readonly reads: number[];
  connections: number;
}

/** Reads requests and leaves the answers to a test. */
async function target(
  respond: (socket: Socket, request: Got, target: Target) => void,
  make: (serve: (socket: Socket) => void) => Server = (serve) => createServer(serve),
): Promise<Target> {
  const sockets = new Set<Socket>();
  const found: Target = { port: 0, got: [], reads: [], connections: 0 };
  const server = make((socket) => {
    const connection = found.connections++;
    let text = '';
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      found.reads.push(bytes.length);
      text += bytes.toString('latin1');
      for (;;) {
        const end = text.indexOf('\r\n\r\n') + 4;
        const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
        if (end < 4 || text.length < end + length) return;
        const request = { head: text.slice(0, end), body: text.slice(end, end + length), connection };
        text = text.slice(end + length);
        found.got.push(request);
        respond(socket, request, found);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return Object.assign(found, { port: (server.address() as AddressInfo).port });
}

const tls = { verify: false, ca: null, certificate: null, key: null };

function clientOf(
  { port }: { port: number },
  options: Partial<PostClientOptions> = {},
  scheme = 'http',
): (body: string) => Promise<PostResult> {
  const client = new PostClient(`${scheme}://127.0.0.1:${String(port)}`, {
    connections: 1,
    pipelining: 8,
    timeoutMs: 5000,
    keepaliveMs: 60_000,
    tls,
    ...options,
  });
  onTestFinished(() => client.destroy(new Error('the test has ended')));
  const head = client.prepare('POST', '/log?a=b', ['content-type', 'application/json']);
  return (body) => new Promise((resolve) => client.send(head, Buffer.from(body), resolve));
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const bodies = (count: number): string[] => Array.from({ length: count }, (_, n) => `{"n":${String(n)}}`);
const bodiesOf = ({ got }: Target): string[] => got.map(({ body }) => body);
const answered = { status: 200, body: '', retryAfter: null, error: null };

it('sends a request as it stands in the specification, and tells its answer', async () => {
  const to = await target((socket) => socket.write(ok));
  const send = clientOf(to);
  expect(await send('{}')).toEqual(answered);
  expect(to.got[0]?.head).toBe(
    `POST /log?a=b HTTP/1.1\r\nhost: 127.0.0.1:${String(to.port)}\r\nconnection: keep-alive\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n`,
  );
});

it('tells the beginning of what a failure says, and when to come again', async () => {
  const body = 'x'.repeat(3000);
  const head = `HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: ${String(body.length)}\r\n\r\n`;
  const to = await target((socket) => socket.write(head + body));
  expect(await clientOf(to)('{}')).toEqual({
    status: 503,
    body: body.slice(0, 1024),
    retryAfter: '7',
    error: null,
  });
});

it('sends the first request alone, and what comes in one turn after its answer in one write and in order', async () => {
  const to = await target((socket) => socket.write(ok));
  const send = clientOf(to);
  const [first, ...others] = bodies(9);
  const beginning = send(first ?? '');
  const rest = others.slice(0, 2).map((body) => send(body));
  await expect.poll(() => to.got.length).toBeGreaterThan(0);
  await Promise.all([beginning, ...rest]);
  expect(to.reads[0]).toBeLessThan(200);
  const before = to.reads.length;
  await Promise.all(others.slice(2).map((body) => send(body)));
  expect(to.reads.length).toBe(before + 1);
  expect(bodiesOf(to)).toEqual(bodies(9));
  expect(to.connections).toBe(1);
});

it('sends nothing behind a request to a target that has not shown that it keeps its connections', async () => {
  const held: Socket[] = [];
  const to = await target((socket) => held.push(socket));
  const send = clientOf(to);
  const all = bodies(3).map((body) => send(body));
  await expect.poll(() => to.got.length).toBe(1);
  // A turn of both ends later there would be more, if any were sent.
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(to.got.length).toBe(1);
  held[0]?.write(ok);
  await expect.poll(() => to.got.length).toBe(3);
  held[0]?.write(ok + ok);
  expect(await Promise.all(all)).toEqual([answered, answered, answered]);
});

it('never has more than one request on a connection whose target closes each', async () => {
  const to = await target((socket) =>
    socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'),
  );
  const send = clientOf(to, { connections: 2 });
  const results = await Promise.all(bodies(10).map((body) => send(body)));
  expect(results).toEqual(Array.from({ length: 10 }, () => answered));
  expect(bodiesOf(to).sort()).toEqual(bodies(10).sort());
  expect(to.connections).toBe(10);
});

it('what a target has not worked on when it closes goes to the next connection, and the target gets no more than it answers', async () => {
  // As nginx with keepalive_requests: the third answer says that it is the last, what is behind it is thrown away.
  const seen = new Map<number, number>();
  const to = await target((socket, { connection }, found) => {
    const count = (seen.get(connection) ?? 0) + 1;
    seen.set(connection, count);
    if (count > 3) found.got.pop();
    else if (count === 3) socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.write(ok);
  });
  const send = clientOf(to);
  await send('first');
  const results = await Promise.all(bodies(12).map((body) => send(body)));
  expect(results.every(({ status }) => status === 200)).toBe(true);
  expect(bodiesOf(to)).toEqual(['first', ...bodies(12)]);
  expect(Math.max(...[...seen].slice(1).map(([, count]) => count))).toBe(3);
});

it('a connection that is closed without a word is tried once more, each request alone, and then they have failed', async () => {
  let refusing = false;
  const to = await target((socket) => {
    if (refusing) socket.destroy();
    else socket.write(ok);
  });
  const send = clientOf(to);
  await send('first');
  refusing = true;
  const results = await Promise.all(bodies(3).map((body) => send(body)));
  expect(results.map(({ error }) => error?.message)).toEqual(
    Array.from(
      { length: 3 },
      () => expect.stringMatching(/closed the connection before its answer|ECONNRESET/) as string,
    ),
  );
  for (const body of bodies(3))
    expect(bodiesOf(to).filter((one) => one === body).length).toBeLessThanOrEqual(2);
});

it('a request whose idle connection ends just then is sent again, and nobody hears of it', async () => {
  const to = await target((socket, _request, found) => {
    if (found.got.length === 2) socket.destroy();
    else socket.write(ok);
  });
  const send = clientOf(to);
  await send('1');
  expect(await send('2')).toEqual(answered);
  expect(bodiesOf(to)).toEqual(['1', '2', '2']);
});

it('spreads requests over its connections while the target is slow, and not while it is fast', async () => {
  const waiting: Socket[] = [];
  let slow = false;
  const to = await target((socket) => {
    if (slow) waiting.push(socket);
    else socket.write(ok);
  });
  let now = 0;
  const send = clientOf(to, { connections: 4, now: () => now });
  await send('1');
  await send('2');
  await Promise.all([send('3'), send('4')]);
  const few = to.connections;
  expect(few).toBe(1);
  slow = true;
  const first = send('5');
  await expect.poll(() => waiting.length).toBe(1);
  now += 60;
  waiting.shift()?.write(ok);
  await first;
  const all = bodies(4).map((body) => send(body));
  await expect.poll(() => new Set(to.got.slice(-4).map(({ connection }) => connection)).size).toBe(4);
  for (const socket of waiting) socket.write(ok);
  await Promise.all(all);
});

it('a target that answers nothing fails in time, and what is behind it with it', async () => {
  let silent = false;
  const to = await target((socket) => {
    if (!silent) socket.write(ok);
  });
  // It goes on once both have come, so that a busy machine is not taken for a silent target.
  let now = 0;
  const send = clientOf(to, { timeoutMs: 80, now: () => now });
  await send('1');
  silent = true;
  const both = Promise.all([send('2'), send('3')]);
  await expect.poll(() => to.got.length).toBe(3);
  now += 81;
  const [first, second] = await both;
  expect(first.error?.message).toBe('no answer within 80 ms');
  expect(second.error?.message).toContain('an earlier request on the same connection failed');
  silent = false;
  expect(await send('4')).toEqual(answered);
});

it('a request that waits for a place beside a silent target fails with the others, once, and not after many times as long', async () => {
  let silent = true;
  const to = await target((socket) => {
    if (!silent) socket.write(ok);
  });
  let now = 0;
  const send = clientOf(to, { timeoutMs: 80, now: () => now });
  let told = 0;
  const all = bodies(5).map((body) => send(body).finally(() => told++));
  await expect.poll(() => to.got.length).toBe(1);
  expect(told).toBe(0);
  now += 80;
  const results = await Promise.all(all);
  expect(results.map(({ error }) => error?.message)).toEqual(Array(5).fill('no answer within 80 ms'));
  expect(told).toBe(5);
  expect(to.got.length).toBe(1);
  silent = false;
  expect(await send('later')).toEqual(answered);
});

it('a request waits for a place as long as the target answers, however slowly', async () => {
  const held: Socket[] = [];
  const to = await target((socket) => held.push(socket));
  let now = 0;
  const send = clientOf(to, { timeoutMs: 60_000, pipelining: 1, now: () => now });
  const all = bodies(4).map((body) => send(body));
  for (let n = 1; n <= 4; n++) {
    await expect.poll(() => to.got.length).toBe(n);
    now += 50_000;
    held.shift()?.write(ok);
  }
  expect(await Promise.all(all)).toEqual(Array(4).fill(answered));
});

it('a body is the sender’s again when all of it has left, also where the answer comes before', async () => {
  const sockets: Socket[] = [];
  const length = 24 * 1024 * 1024;
  let received = 0;
  let altered = 0;
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.once('data', (first: Buffer) => {
      socket.pause();
      received = first.length - first.indexOf('\r\n\r\n') - 4;
      socket.on('data', (bytes: Buffer) => {
        received += bytes.length;
        altered += bytes.includes('b') ? 1 : 0;
      });
      socket.write(ok);
      // Long enough for the answer to be read, however busy the machine is: only a wrong client is done by then.
      setTimeout(() => socket.resume(), 50);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const options = { connections: 1, timeoutMs: 20_000, keepaliveMs: 60_000, tls };
  const client = new PostClient(`http://127.0.0.1:${String(port)}`, options);
  onTestFinished(() => client.destroy(new Error('the test has ended')));
  const body = Buffer.alloc(length, 'a');
  const result = await new Promise<PostResult>((resolve) =>
    client.send(client.prepare('POST', '/', []), body, (told) => {
      body.fill('b');
      resolve(told);
    }),
  );
  expect(result).toEqual(answered);
  await expect.poll(() => received).toBe(length);
  expect(altered).toBe(0);
});

/** Runs something once what was written into a connection of this process has been read at its other end. */
const whenRead = (run: () => void): (() => void) => {
  return () => setImmediate(() => setImmediate(() => setImmediate(run)));
};

it('an answer before a body that the target never reads counts in the end', async () => {
  const sockets: Socket[] = [];
  let now = 0;
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.once('data', () => {
      socket.pause();
      socket.write(
        ok,
        whenRead(() => (now += 81)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const send = clientOf(server.address() as AddressInfo, { timeoutMs: 80, now: () => now });
  expect(await send('x'.repeat(24 * 1024 * 1024))).toEqual(answered);
});

it('an answer too many is not that of the next request, which is not yet written', async () => {
  const to = await target((socket, { body }) =>
    socket.write(body === '1' ? ok + ok : ok.replace('200', '201')),
  );
  const client = new PostClient(`http://127.0.0.1:${String(to.port)}`, {
    connections: 1,
    timeoutMs: 5000,
    keepaliveMs: 60_000,
    tls,
  });
  onTestFinished(() => client.destroy(new Error('the test has ended')));
  const head = client.prepare('POST', '/', []);
  const second = await new Promise<PostResult>((resolve) => {
    client.send(head, Buffer.from('1'), () => client.send(head, Buffer.from('2'), resolve));
  });
  expect(second.status).toBe(201);
  expect(bodiesOf(to)).toEqual(['1', '2']);
});

it('an answer whose body has no end counts by its status', async () => {
  let now = 0;
  const to = await target((socket) =>
    socket.write(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n',
      whenRead(() => (now += 81)),
    ),
  );
  const send = clientOf(to, { timeoutMs: 80, now: () => now });
  expect(await send('1')).toEqual(answered);
  const endless = await target((socket) => socket.write(`HTTP/1.1 500 No\r\n\r\n${'x'.repeat(70_000)}`));
  expect(await clientOf(endless)('1')).toEqual({
    status: 500,
    body: 'x'.repeat(1024),
    retryAfter: null,
    error: null,
  });
});

it('what nobody listens for, what is not an answer and what comes unasked are errors or nothing', async () => {
  const gone = await target(() => undefined);
  const nobody = clientOf({ port: 1 });
  expect((await nobody('1')).error?.message).toContain('ECONNREFUSED');
  const garbage = await target((socket) => socket.write('SSH-2.0-x\r\n\r\n'));
  expect((await clientOf(garbage)('1')).error?.message).toContain('does not match the HTTP/1.1 protocol');
  const unasked = await target((socket) => socket.write(ok + ok));
  const send = clientOf(unasked);
  expect(await send('1')).toEqual(answered);
  expect(await send('2')).toEqual(answered);
  expect(gone.connections).toBe(0);
});

it('a client that is destroyed fails what is under way and what comes', async () => {
  const to = await target(() => undefined);
  const client = new PostClient(`http://127.0.0.1:${String(to.port)}`, {
    connections: 1,
    timeoutMs: 5000,
    keepaliveMs: 60_000,
    tls,
  });
  const head = client.prepare('POST', '/', []);
  const results: PostResult[] = [];
  for (let n = 0; n < 3; n++) client.send(head, Buffer.from('x'), (result) => results.push(result));
  client.destroy(new Error('stopped'));
  client.send(head, Buffer.from('x'), (result) => results.push(result));
  expect(results.map(({ error }) => error?.message)).toEqual(['stopped', 'stopped', 'stopped', 'stopped']);
});

it('large bodies go one by one over each connection, whole and in order', async () => {
  const to = await target((socket) => socket.write(ok));
  const send = clientOf(to);
  const large = Array.from({ length: 4 }, (_, n) => String(n).repeat(90_000));
  await Promise.all(large.map((body) => send(body)));
  expect(bodiesOf(to)).toEqual(large);
});

it('an origin that would end a line of the head is refused', () => {
  const client = new PostClient('http://127.0.0.1:1', { connections: 1, timeoutMs: 1, keepaliveMs: 1, tls });
  expect(() => client.prepare('POST', '/a b', [])).toThrow(TypeError);
  expect(() => client.prepare('POST\r\n', '/', [])).toThrow(TypeError);
  expect(() => client.prepare('POST', '/', ['x', 'a\r\nb: c'])).toThrow(TypeError);
  expect(() => client.prepare('POST', '/', ['x:', 'a'])).toThrow(TypeError);
  for (const name of ['Expect', 'Content-Length', 'Transfer-Encoding', 'Keep-Alive', 'Upgrade'])
    expect(() => client.prepare('POST', '/', [name, 'a'])).toThrow(TypeError);
});

it('however a target closes its connections, each request comes to its end, and fails only where one was closed without a word', async () => {
  const plan = fc.record({
    /** After how many requests each connection is closed, and whether with a word or without. */
    closings: fc.array(fc.record({ after: fc.integer({ min: 1, max: 6 }), says: fc.boolean() }), {
      maxLength: 6,
    }),
    requests: fc.integer({ min: 1, max: 25 }),
    connections: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ closings, requests, connections }) => {
      const counts = new Map<number, number>();
      const to = await target((socket, { connection }) => {
        const count = (counts.get(connection) ?? 0) + 1;
        counts.set(connection, count);
        const closing = closings[connection];
        if (closing === undefined || count < closing.after) socket.write(ok);
        else if (count > closing.after) return;
        else if (closing.says)
          socket.end(ok.replace('Content-Length', 'Connection: close\r\nContent-Length'));
        else socket.end(ok);
      });
      const send = clientOf(to, { connections });
      const results = await Promise.all(bodies(requests).map((body) => send(body)));
      // Only what two connections in turn have left unanswered may fail.
      const failed = results.filter(({ error }) => error !== null).length;
      expect(failed === 0 || closings.some(({ says }) => !says)).toBe(true);
      for (const [n, body] of bodies(requests).entries()) {
        const came = bodiesOf(to).filter((one) => one === body).length;
        if (results[n]?.error === null) expect(came).toBeGreaterThan(0);
      }
    }),
    { numRuns: 40 },
  );
});

it('whatever a target answers with, each request comes to its end, and what is sent after that to its answer', async () => {
  const piece = fc.constantFrom(
    'HTTP/1.1 200 OK',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    'HTTP/1.0 500 No',
    '\r\n',
    '\n',
    'Content-Length: 3',
    'Content-Length: 0\r\n\r\n',
    'Transfer-Encoding: chunked',
    'Connection: close',
    'Keep-Alive: timeout=0',
    ':',
    ' ',
    '0',
    'abc',
    ok,
  );
  const plan = fc.record({
    /** What is written at once for each request, on all connections. */
    answers: fc.array(fc.array(piece, { maxLength: 8 }), { minLength: 1, maxLength: 5 }),
    requests: fc.integer({ min: 1, max: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ answers, requests }) => {
      let well = false;
      let count = 0;
      const to = await target((socket) => {
        if (well) socket.write(ok);
        else socket.end(answers[count++ % answers.length]?.join('') ?? '', 'latin1');
      });
      const client = new PostClient(`http://127.0.0.1:${String(to.port)}`, {
        connections: 1,
        pipelining: 4,
        timeoutMs: 5000,
        keepaliveMs: 60_000,
        tls,
      });
      const head = client.prepare('POST', '/', []);
      const send = (body: string): Promise<PostResult> =>
        new Promise((resolve) => client.send(head, Buffer.from(body), resolve));
      const results = await Promise.all(bodies(requests).map((body) => send(body)));
      for (const { status, error } of results) expect(status === null).toBe(error !== null);
      well = true;
      expect((await send('later')).status).toBe(200);
      client.destroy(new Error('the test has ended'));
    }),
    { numRuns: 60 },
  );
});

it('sends over TLS with and without looking at the certificate, and says why it does not', async () => {
  const { key, cert } = selfSigned();
  const to = await target(
    (socket) => socket.write(ok),
    (serve) => createTlsServer({ key, cert }, serve),
  );
  const send = clientOf(to, {}, 'https');
  expect(await send('1')).toEqual(answered);
  expect(await Promise.all([send('2'), send('3')])).toEqual([answered, answered]);
  expect(to.connections).toBe(1);
  const trusting = clientOf(to, { tls: { ...tls, verify: true, ca: cert } }, 'https');
  expect(await trusting('4')).toEqual(answered);
  const careful = clientOf(to, { tls: { ...tls, verify: true } }, 'https');
  expect((await careful('5')).error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  expect(bodiesOf(to)).toEqual(['1', '2', '3', '4']);
});
