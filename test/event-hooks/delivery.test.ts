import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { anyString, containing, having, matching } from './support/expected.ts';
import { ManualClock } from './support/clock.ts';
import { bench, tempDir } from './support/setup.ts';
import type { Bench } from './support/setup.ts';

const webhook = (url: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  source: 's',
  event: 'e',
  handler: 'webhook',
  config: { url },
  ...more,
});
interface Shown {
  id: string;
  state: string;
  attempts: number;
  status: number | null;
  error: string | null;
  response: string | null;
  next_attempt_at: number | null;
  latency_ms: number;
  event: string;
  payload: Record<string, unknown>;
}
async function records(b: Bench, id: string, query = ''): Promise<Shown[]> {
  const { body } = await b.api<{ data: Shown[] }>('GET', `/event-hooks/${id}/deliveries${query}`);
  return body.data.filter((one) => one.event !== 'ping');
}
async function silent(answer: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/x`;
}

describe('retries', () => {
  it('follow the schedule with jitter, survive in the record, and end as a dead letter', async () => {
    const clock = new ManualClock();
    const b = await bench({ clock, retrySchedule: [5, 300] });
    b.receiver.answer = (_request, response) => response.writeHead(500).end('oh no');
    const { id } = await b.hook(webhook(b.receiver.url('/r')));
    b.hub.emit('s', 'e', { n: 1 });
    await b.settled();
    expect(await records(b, id)).toMatchObject([
      {
        state: 'waiting',
        attempts: 1,
        status: 500,
        error: 'status 500',
        response: 'oh no',
        next_attempt_at: clock.now() / 1000 + 5,
      },
    ]);
    await clock.advance(4900);
    await b.settled();
    expect(b.receiver.at('/r')).toHaveLength(1);
    clock.chance = 1;
    await clock.advance(200);
    await b.settled();
    expect(await records(b, id)).toMatchObject([{ state: 'waiting', attempts: 2 }]);
    expect((await records(b, id))[0]?.next_attempt_at).toBeCloseTo(clock.now() / 1000 + 330, 0);
    await clock.advance(340_000);
    await b.settled();
    expect(await records(b, id, '?state=dead')).toMatchObject([
      { state: 'dead', attempts: 3, next_attempt_at: null },
    ]);
    await clock.advance(86_400_000);
    expect(b.receiver.at('/r')).toHaveLength(3);
    expect(new Set(b.receiver.at('/r').map((one) => one.headers['webhook-id'])).size).toBe(1);
    expect(b.log.lines).toContainEqual(having({ level: 'warn', message: 'a delivery was given up' }));
  });

  it('honour Retry-After where it is longer, as seconds and as a date', async () => {
    const clock = new ManualClock();
    const b = await bench({ clock });
    let after = '120';
    b.receiver.answer = (_request, response) => response.writeHead(429, { 'retry-after': after }).end();
    const { id } = await b.hook(webhook(b.receiver.url('/r')));
    b.hub.emit('s', 'e', { n: 1 });
    await b.settled();
    expect((await records(b, id))[0]?.next_attempt_at).toBe(clock.now() / 1000 + 120);
    after = new Date(clock.now() + 600_000).toUTCString();
    b.hub.emit('s', 'e', { n: 2 });
    await b.settled();
    expect((await records(b, id))[0]?.next_attempt_at).toBeCloseTo(clock.now() / 1000 + 600, -1);
  });

  it('survive a restart', async () => {
    const dataDir = tempDir();
    const clock = new ManualClock();
    const first = await bench({ clock, dataDir });
    first.receiver.answer = (_request, response) => response.writeHead(503).end();
    const { id } = await first.hook(webhook(first.receiver.url('/r')));
    first.hub.emit('s', 'e', { n: 1 });
    await first.settled();
    await first.dispatcher.stop();
    const second = await bench({ clock, dataDir });
    first.receiver.answer = (_request, response) => response.end('fine');
    await clock.advance(6000);
    await second.settled();
    expect(await records(second, id)).toMatchObject([
      { state: 'delivered', attempts: 2, status: 200, response: 'fine' },
    ]);
  });
});

describe('answers', () => {
  it.each([200, 201, 204, 299])('%i is success', async (status) => {
    const b = await bench();
    b.receiver.answer = (_request, response) => response.writeHead(status).end();
    const { id } = await b.hook(webhook(b.receiver.url('/a')));
    b.hub.emit('s', 'e', {});
    await b.settled();
    expect(await records(b, id)).toMatchObject([{ state: 'delivered', status }]);
  });

  it('redirects are not followed', async () => {
    const b = await bench();
    b.receiver.answer = (_request, response) =>
      response.writeHead(302, { location: b.receiver.url('/other') }).end();
    const { id } = await b.hook(webhook(b.receiver.url('/a')));
    b.hub.emit('s', 'e', {});
    await b.settled();
    expect(await records(b, id)).toMatchObject([
      { state: 'waiting', status: 302, error: containing('not followed') },
    ]);
    expect(b.receiver.at('/other')).toEqual([]);
  });

  it('410 switches the hook off; what waits goes on when it is switched on again', async () => {
    const b = await bench();
    const { id } = await b.hook(webhook(b.receiver.url('/a'), { concurrency: 1 }));
    await b.settled();
    b.receiver.answer = (_request, response) => response.writeHead(410).end();
    for (let n = 0; n < 3; n += 1) b.hub.emit('s', 'e', { n });
    await b.hub.flush();
    await b.receiver.until('/a', 1);
    await b.receiver.untilTrue(() => b.dispatcher.hooks.get(id)?.enabled === false);
    expect((await b.api('GET', `/event-hooks/${id}`)).body).toMatchObject({
      enabled: false,
      disabled_reason: containing('410'),
    });
    expect(b.hub.wants('s', 'e')).toBe(false);
    b.receiver.answer = (_request, response) => response.end();
    expect((await b.api('PATCH', `/event-hooks/${id}`, { enabled: true })).body).not.toHaveProperty(
      'enabled',
    );
    await b.receiver.until('/a', 3);
    await b.settled();
    const states = (await records(b, id)).map((one) => one.state);
    expect(states.filter((state) => state === 'dead').length).toBeGreaterThanOrEqual(1);
    expect(states).not.toContain('pending');
  });

  it('a target that hangs, resets, lies about its length, or never stops, fails with a reason', async () => {
    const short = await bench({ timeoutMs: 150 });
    const patient = await bench({ timeoutMs: 30_000, maxResponseBytes: 100_000 });
    const reason = async (answer: (socket: Socket) => void, b = patient) => {
      const { id } = await b.hook(webhook(await silent(answer), { source: 'other' }));
      const { body } = await b.api('POST', `/event-hooks/${id}/test`, {});
      return (body.result as { error: string }).error;
    };
    const onRequest = (run: (socket: Socket) => void) => (socket: Socket) =>
      socket.once('data', () => {
        run(socket);
      });
    expect(await reason(() => undefined, short)).toMatch(/no complete answer within 150 ms/);
    expect(await reason(onRequest((socket) => socket.resetAndDestroy()))).toMatch(/reset|other side closed/i);
    expect(
      await reason(
        onRequest((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab')),
        short,
      ),
    ).toMatch(/no complete answer/);
    expect(
      await reason(onRequest((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab'))),
    ).toMatch(/closed|terminated/i);
    expect(await reason(onRequest((socket) => socket.end('not http at all\r\n\r\n')))).toMatch(
      /Parse Error|Expected HTTP|Invalid/i,
    );
    const endless = (socket: Socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const more = (): void => {
        if (!socket.destroyed) socket.write(Buffer.alloc(65_536), more);
      };
      more();
    };
    expect(await reason(onRequest(endless))).toMatch(/larger than 100000 bytes/);
  });

  it('compressed bodies are not asked for; one that comes all the same fails and is not decompressed', async () => {
    const b = await bench();
    b.receiver.answer = (_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000)));
    const { id } = await b.hook(webhook(b.receiver.url('/a')));
    b.hub.emit('s', 'e', {});
    await b.settled();
    expect(await records(b, id)).toMatchObject([
      {
        state: 'waiting',
        status: 200,
        error: 'the answer is compressed (gzip), which was not asked for',
        response: matching(/^\[gzip, \d+ bytes, not decompressed\]$/),
      },
    ]);
    expect(b.receiver.at('/a')[0]?.headers['accept-encoding']).toBe('identity');
    b.receiver.answer = (_request, response) => response.writeHead(204, { 'content-encoding': 'gzip' }).end();
    b.hub.emit('s', 'e', {});
    await b.settled();
    expect(await records(b, id)).toMatchObject([{ state: 'delivered' }, { state: 'waiting' }]);
  });

  it('secrets that a target sends back are not in the record', async () => {
    const b = await bench();
    b.receiver.answer = ({ headers }, response) => {
      response.statusCode = 500;
      response.end(`${JSON.stringify(headers)} whsec_top+secret hunter2 older`);
    };
    const target = new URL(b.receiver.url('/echo'));
    target.username = 'me';
    target.password = 'hunter2';
    const { id } = await b.hook(
      webhook('', {
        config: {
          url: target.href,
          secret: 'whsec_top+secret',
          previous_secrets: ['older'],
          headers: { 'x-api-key': 'key-12345', 'x-auth': 'not-plain', 'content-language': 'plain-value' },
        },
      }),
    );
    b.hub.emit('s', 'e', {});
    await b.settled();
    const text = JSON.stringify(await records(b, id)) + JSON.stringify(b.log.lines);
    expect(text).toContain('plain-value');
    for (const secret of ['whsec_top', 'hunter2', 'older', 'key-12345', 'not-plain', btoa('me:hunter2')]) {
      expect(text).not.toContain(secret);
    }
  });

  it('keeps the beginning of the response only', async () => {
    const b = await bench({ keepResponseBytes: 10 });
    b.receiver.answer = (_request, response) => response.end('0123456789abcdef');
    const { id } = await b.hook(webhook(b.receiver.url('/a')));
    b.hub.emit('s', 'e', {});
    await b.settled();
    expect((await records(b, id))[0]?.response).toBe('0123456789');
  });
});

describe('order, isolation and limits', () => {
  it.each([null, 'sqlite'])(
    'delivers 3000 events in order and once (%s store), also from the store',
    async (kind) => {
      const b = await bench({ dataDir: kind === null ? null : tempDir(), queueLength: 50 });
      await b.hook(webhook(b.receiver.url('/o')));
      for (let n = 0; n < 3000; n += 1) b.hub.emit('s', 'e', { n });
      await b.receiver.until('/o', 3000, 15_000);
      await b.settled();
      expect(b.receiver.bodies('/o').map((body) => body.n)).toEqual(
        Array.from({ length: 3000 }, (_, n) => n),
      );
    },
  );

  it('a slow target does not slow another, on the same dispatcher', async () => {
    const b = await bench({ timeoutMs: 60_000 });
    await b.hook(webhook(await silent(() => undefined)));
    await b.hook(webhook(b.receiver.url('/fast')));
    for (let n = 0; n < 500; n += 1) b.hub.emit('s', 'e', { n });
    // The first attempt at the slow target does not end within this test: a pile of 500 goes to the other one meanwhile.
    await b.receiver.until('/fast', 500);
    expect(b.dispatcher.engine.load().some((lane) => lane.inFlight > 0)).toBe(true);
  });

  it('keeps at most so many in flight per hook and target, and so many per second', async () => {
    const clock = new ManualClock();
    const b = await bench({ clock, targetConcurrency: 3 });
    let open = 0;
    let most = 0;
    const held: (() => void)[] = [];
    const hold = (_request: unknown, response: { end: () => void }): void => {
      most = Math.max(most, ++open);
      held.push(() => {
        open -= 1;
        response.end();
      });
    };
    for (let i = 0; i < 4; i += 1)
      await b.hook({
        ...webhook(b.receiver.url('/c'), { concurrency: 2 }),
        handler: 'webhook-custom',
        config: { url: b.receiver.url('/c'), method: 'POST' },
      });
    // Each hook's connection carries more than one request once the target has answered on it.
    b.hub.emit('s', 'e', {});
    await b.settled();
    b.receiver.received.length = 0;
    b.receiver.answer = hold;
    b.hub.emit('s', 'e', {});
    b.hub.emit('s', 'e', {});
    await b.hub.flush();
    await b.receiver.untilTrue(() => open === 3);
    while (b.receiver.at('/c').length < 8) {
      await b.receiver.untilTrue(() => held.length > 0);
      held.shift()?.();
    }
    for (const end of held.splice(0)) end();
    await b.settled();
    expect(most).toBe(3);

    b.receiver.answer = (_request, response) => response.end();
    await b.hook({
      source: 'r',
      handler: 'webhook-custom',
      rate: 2,
      config: { url: b.receiver.url('/rate'), method: 'POST' },
    });
    for (let n = 0; n < 6; n += 1) b.hub.emit('r', 'e', { n });
    await b.hub.flush();
    await b.receiver.until('/rate', 2);
    await clock.advance(100);
    expect(b.receiver.at('/rate')).toHaveLength(2);
    await clock.advance(1000);
    await b.receiver.until('/rate', 4);
    await clock.advance(1000);
    await b.receiver.until('/rate', 6);
  });
});

describe('replay', () => {
  it('repeats one, all of a hook, and those since a time, with the same ids', async () => {
    const clock = new ManualClock();
    const b = await bench({ clock });
    const { id } = await b.hook({
      ...webhook(''),
      handler: 'webhook-custom',
      config: { url: b.receiver.url('/p'), method: 'POST', body: '{{ n }}' },
    });
    for (let n = 0; n < 3; n += 1) {
      expect(
        (await b.api('POST', '/event-hooks/events', { source: 's', event: 'e', data: { n } })).status,
      ).toBe(202);
      await clock.advance(10_000);
    }
    await b.settled();
    const all = await records(b, id);
    expect(all.map((one) => one.payload.n)).toEqual([2, 1, 0]);
    const sent = () => b.receiver.at('/p').map((one) => one.body);
    expect((await b.api('POST', `/event-hooks/deliveries/${all[1]?.id ?? ''}/replay`)).body).toEqual({
      replayed: 1,
    });
    await b.receiver.until('/p', 4);
    expect(sent()[3]).toBe('1');
    await b.settled();
    expect((await b.api('POST', `/event-hooks/${id}/replay`, {})).body).toEqual({
      replayed: 3,
      offset: null,
    });
    await b.receiver.until('/p', 7);
    await b.settled();
    expect(sent().slice(4)).toEqual(['0', '1', '2']);
    const since = new Date(clock.now() - 15_000).toISOString();
    expect((await b.api('POST', `/event-hooks/${id}/replay`, { since })).body).toMatchObject({ replayed: 1 });
    for (const odd of ['-5', 'yesterday', '5m'])
      expect((await b.api('POST', `/event-hooks/${id}/replay`, { since: odd })).status).toBe(400);
    await b.receiver.until('/p', 8);
    await b.settled();
    const byBody = new Map<string, Set<unknown>>();
    for (const { body, headers } of b.receiver.at('/p'))
      byBody.set(body, (byBody.get(body) ?? new Set()).add(headers['webhook-id']));
    expect([...byBody.values()].map((ids) => ids.size)).toEqual([1, 1, 1]);
    expect((await b.api('POST', `/event-hooks/${id}/replay`, { size: 2 })).body).toMatchObject({
      replayed: 2,
      offset: anyString,
    });
  });
});

describe('where deliveries may go', () => {
  it('refuses loopback and private addresses unless allowed, link-local and metadata always, names included', async () => {
    const names: Record<string, string[]> = {
      'meta.example': ['169.254.169.254'],
      'inner.example': ['10.0.0.1'],
      'flip.example': ['127.0.0.1'],
    };
    const b = await bench({ allowLoopback: false, resolve: async (name) => names[name] ?? [] });
    const create = (url: string) => b.api('POST', '/event-hooks', webhook(url, { source: 'ssrf' }));
    const refused = async (url: string) => (await create(url)).body.message;
    const error = async (url: string) => {
      const { id } = (await create(url)).body;
      const answer = await b.api('POST', `/event-hooks/${String(id)}/test`, {});
      return (answer.body.result as { error: string }).error;
    };
    // Addresses are judged when the hook is created, names with each connection.
    expect(await refused(b.receiver.url('/x'))).toMatch(
      /config\.url: this dispatcher refuses 127\.0\.0\.1, because it is a loopback address/,
    );
    expect(await refused(`http://[::ffff:127.0.0.1]:${String(b.receiver.port)}/`)).toMatch(/loopback/);
    expect(await refused('http://0x7f000001/')).toMatch(/loopback/);
    expect(await error('http://meta.example/')).toMatch(/link-local/);
    expect(await error('http://inner.example/')).toMatch(/private/);
    expect(await error('http://flip.example/')).toMatch(/127\.0\.0\.1 is a loopback address/);
    expect(await error('http://gone.example/')).toMatch(/no address/);
    expect(b.receiver.received).toEqual([]);
  });

  it('connects to the address that was checked, and keeps the name in the host header', async () => {
    let asked = 0;
    const b = await bench({
      allowLoopback: true,
      resolve: async () => (asked++ === 0 ? ['127.0.0.1'] : ['169.254.169.254']),
    });
    const { id } = await b.hook(
      webhook(`http://rebind.example:${String(b.receiver.port)}/x`, {
        source: 'ssrf',
        handler: 'webhook-custom',
        config: { url: `http://rebind.example:${String(b.receiver.port)}/x`, method: 'POST' },
      }),
    );
    // Its creation looks the name up, too: to warn of what will be refused.
    asked = 0;
    expect((await b.api('POST', `/event-hooks/${id}/test`, {})).body.result).toMatchObject({ status: 200 });
    expect(asked).toBe(1);
    expect(b.receiver.received[0]?.headers.host).toBe(`rebind.example:${String(b.receiver.port)}`);
  });
});
