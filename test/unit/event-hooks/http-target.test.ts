import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { HttpAnswer } from '../../../src/event-hooks/delivery/http-target.ts';
import { HttpTarget } from '../../../src/event-hooks/delivery/http-target.ts';
import { TargetGuard } from '../../../src/event-hooks/delivery/target-guard.ts';

let server: Server | null = null;
const targets: HttpTarget[] = [];

afterEach(async () => {
  for (const target of targets.splice(0)) await target.destroy();
  server?.closeAllConnections();
  await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  server = null;
});

/** A receiver on 127.0.0.1 alone; its port. */
async function receiver(): Promise<number> {
  server = createServer((request, response) => response.end(request.headers.host));
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function send(port: number, resolve: (hostname: string) => Promise<string[]>): Promise<HttpAnswer> {
  const target = new HttpTarget(`http://several.test:${String(port)}`, {
    guard: new TargetGuard({ allowLoopback: true, resolve }),
    sslVerify: true,
    timeoutMs: 20_000,
    maxResponseBytes: 10_000,
    keepResponseBytes: 10_000,
    pipelining: 1,
  });
  targets.push(target);
  return target.send({ method: 'GET', path: '/', headers: ['Host', 'several.test'], body: null });
}

it('goes on to the next address where the first refuses the connection', async () => {
  const port = await receiver();
  const answer = await send(port, () => Promise.resolve(['127.0.0.2', '127.0.0.3', '127.0.0.1']));
  expect(answer).toMatchObject({ status: 200, body: 'several.test', error: null });
});

it('resolves once, so that a name which changes in between gains nothing', async () => {
  const port = await receiver();
  const answers = [['127.0.0.2', '127.0.0.1'], ['169.254.169.254']];
  const answer = await send(port, () => Promise.resolve(answers.shift() ?? []));
  expect(answer.status).toBe(200);
  expect(answers).toHaveLength(1);
});

it('never tries a denied address, and says why where there is no other', async () => {
  const guard = new TargetGuard({
    allowLoopback: true,
    resolve: () => Promise.resolve(['10.0.0.1', '127.0.0.2', '169.254.169.254', '::1']),
  });
  expect(await guard.addresses('several.test')).toEqual(['127.0.0.2', '::1']);
  const refused = await send(1, () => Promise.resolve(['10.0.0.1', '169.254.169.254']));
  expect(refused.status).toBeNull();
  expect(refused.error).toMatch(
    /10\.0\.0\.1 is a private address, 169\.254\.169\.254 is a link-local address/,
  );
});

it('names every address where none answers', async () => {
  const port = await receiver();
  const { status, error } = await send(port, () => Promise.resolve(['127.0.0.2', '127.0.0.3']));
  expect(status).toBeNull();
  expect(error).toMatch(/ECONNREFUSED 127\.0\.0\.2.*, .*ECONNREFUSED 127\.0\.0\.3/);
});
