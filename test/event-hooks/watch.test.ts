import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished, describe } from 'vitest';
import { call, startFront, startKong } from './support/front.ts';

const told = (bodies: Record<string, unknown>[]): string[] =>
  bodies.map((body) => {
    const { name, username } = body.entity as { name?: string; username?: string };
    return `${String(body.schema)} ${String(body.operation)} ${String(name ?? username)}`;
  });
const fast = ['--crud-interval', '0.2'];

describe('a Kong without a database', { timeout: 60_000 }, () => {
  const config = (consumers: string[], path: string): unknown => ({
    _format_version: '3.0',
    services: [{ name: 'api', url: `http://127.0.0.1:9${path}` }],
    consumers: consumers.map((username) => ({ username })),
  });

  it('a new configuration is told as what is new in it', async () => {
    let seconds = 1_700_000_000;
    const kong = await startKong({ database: 'off', now: () => ++seconds * 1000 });
    await call('POST', `${kong.url}/config`, config(['alice', 'bob'], '/a'));
    const { url, receiver, hook, log } = await startFront(kong.url, fast);
    await hook('crud', null);
    await call('POST', `${kong.url}/config`, config(['alice', 'carol'], '/a'));
    await receiver.until('/hook', 2);
    await call('POST', `${url}/config`, config(['alice', 'carol'], '/b'));
    await receiver.until('/hook', 3);
    expect(told(receiver.bodies('/hook'))).toEqual([
      'consumers create carol',
      'consumers delete bob',
      'services update api',
    ]);
    expect(log.filter(({ level }) => ['error', 'warn'].includes(level))).toEqual([]);
  });

  it('is asked for its hash only, while that stands', async () => {
    const kong = await startKong({ database: 'off' });
    await call('POST', `${kong.url}/config`, config(['alice'], '/a'));
    const requests: string[] = [];
    const counting = await proxy(kong.url, (line) => requests.push(line));
    const { hook } = await startFront(counting, fast);
    await hook('crud', 'consumers');
    await expect.poll(() => requests.filter((line) => line === 'GET /status').length).toBeGreaterThan(2);
    expect(requests.filter((line) => line.startsWith('GET /consumers'))).toHaveLength(1);
  });
});

describe('a Kong with a database', { timeout: 60_000 }, () => {
  it('every operation once, in order, with what was before; a Kong that restarts is not a change', async () => {
    const kong = await startKong();
    let down = false;
    const way = await proxy(
      kong.url,
      () => undefined,
      () => down,
    );
    const { receiver, hook, log } = await startFront(way, fast);
    await hook('crud', null);
    await call('POST', `${kong.url}/consumers`, { username: 'alice' });
    await receiver.until('/hook', 1);
    down = true;
    await expect.poll(() => log.some(({ message }) => message.includes('cannot be read'))).toBe(true);
    await call('PATCH', `${kong.url}/consumers/alice`, { custom_id: 'a' });
    await call('POST', `${kong.url}/consumers/alice/key-auth`, { key: 'x' });
    await call('DELETE', `${kong.url}/consumers/alice`);
    await call('POST', `${kong.url}/consumers`, { username: 'bob' });
    down = false;
    await receiver.until('/hook', 3);
    expect(told(receiver.bodies('/hook'))).toEqual([
      'consumers create alice',
      'consumers create bob',
      'consumers delete alice',
    ]);
    expect(log.filter(({ message }) => message.includes('cannot be read'))).toHaveLength(1);
    expect(
      log.filter(({ level, message }) => level === 'notice' && message.includes('answers again')),
    ).toHaveLength(1);
  });

  it('asks nothing while nobody listens', async () => {
    const kong = await startKong();
    const requests: string[] = [];
    const { hook, served } = await startFront(await proxy(kong.url, (line) => requests.push(line)), fast);
    await hook('http-log-enterprise', 'log');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(requests).toEqual([]);
    await hook('crud', 'consumers:create');
    expect(requests.slice(0, 3)).toEqual(['GET /endpoints', 'GET /status', 'GET /consumers?size=1000']);
    for (const { id, source } of served.dispatcher.hooks.list()) {
      if (source === 'crud') await served.dispatcher.hooks.delete(id);
    }
    // A round that has begun is finished; none comes after it.
    const asked = async (): Promise<number> => {
      requests.length = 0;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return requests.length;
    };
    await expect.poll(asked).toBe(0);
  });
});

/** Hands requests on, tells of them, and breaks the connection while Kong is down. */
async function proxy(
  target: string,
  tell: (line: string) => void,
  down: () => boolean = () => false,
): Promise<string> {
  const server = createServer((request, response) => {
    if (down()) {
      request.socket.resetAndDestroy();
      return;
    }
    tell(`${request.method ?? ''} ${request.url ?? ''}`);
    void fetch(`${target}${request.url ?? ''}`).then(async (answer) => {
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(await answer.text());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}
