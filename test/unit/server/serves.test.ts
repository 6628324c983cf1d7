import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startServer } from '../../../src/server/index.ts';
import { asksWhetherServed } from '../../../src/server/socket/serves.ts';
import { plugin } from '../../server/support/server-process.ts';
import { encode } from '../../../src/wire/msgpack/writer.ts';

let folder: string;
let socket: string;
let server: Server | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kts-serves-'));
  socket = join(folder, 'k.sock');
});
afterEach(() => {
  server?.close();
  server = null;
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

/** However busy this machine is, its patience does not end by itself. */
const noHurry = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });

async function answering(answer: Uint8Array | null): Promise<void> {
  server = createServer((connection) => {
    connection.on('error', () => undefined);
    if (answer !== null) connection.write(answer);
    else connection.once('data', () => vi.advanceTimersByTime(1000));
  });
  await new Promise<void>((resolve) => server?.listen(socket, resolve));
}

test('a server that serves says so, and one that nobody listens for does not', async () => {
  const running = await startServer({ socket, plugins: [plugin('steady')], log: () => undefined });
  noHurry();
  expect(await asksWhetherServed(socket)).toBe(true);
  vi.useRealTimers();
  await running.stop();
  expect(await asksWhetherServed(socket)).toBe(false);
});

test('one that answers something else serves, and one that says it is about to end, or nothing, does not', async () => {
  noHurry();
  await answering(encode([1, 1, 'no such method', null]));
  expect(await asksWhetherServed(socket)).toBe(true);
  server?.close();
  await answering(encode([1, 1, null, false]));
  expect(await asksWhetherServed(socket)).toBe(false);
  server?.close();
  await answering(null);
  expect(await asksWhetherServed(socket)).toBe(false);
});
