import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ConnectionTaker } from '../../../src/server/supervisor/connection-dealer.ts';
import { ConnectionDealer } from '../../../src/server/supervisor/connection-dealer.ts';
import { endCleanly } from '../../../src/server/socket/parting.ts';

let folder: string;
let close: () => void;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kts-'));
});
afterEach(() => {
  close();
  rmSync(folder, { recursive: true });
});

/** An accepted connection that nobody reads, with bytes in it, and what its peer sees of its end. */
async function unread(): Promise<{ accepted: Socket; seen: Promise<string> }> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  server.listen(join(folder, 's'));
  await once(server, 'listening');
  close = () => server.close();
  const client = connect(join(folder, 's'));
  const [accepted] = (await once(server, 'connection')) as [Socket];
  await new Promise((resolve) => client.write('what Kong has asked for', resolve));
  const seen = new Promise<string>((resolve) => {
    client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    client.once('end', () => resolve('closed'));
    client.resume();
  });
  return { accepted, seen };
}

it('a connection with unread bytes in it that is only destroyed is a reset for Kong; ended cleanly it is not', async () => {
  const dropped = await unread();
  dropped.accepted.destroy();
  expect(await dropped.seen).toBe('ECONNRESET');
  close();
  const ended = await unread();
  endCleanly(ended.accepted);
  expect(await ended.seen).toBe('closed');
});

it('the connections of a worker that has died end without a reset, whatever has come on them', async () => {
  const { accepted, seen } = await unread();
  const router = new ConnectionDealer<ConnectionTaker>(() => null);
  let ticket = 0;
  const taker: ConnectionTaker = {
    slot: 0,
    connections: 0,
    silent: false,
    give: (given) => (ticket = given),
  };
  router.attach(taker);
  router.accept(accepted, 0);
  router.taken(ticket);
  expect(router.lost(taker)).toBe(1);
  expect(await seen).toBe('closed');
});
