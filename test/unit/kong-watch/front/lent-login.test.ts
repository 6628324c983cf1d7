import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { parseServeOptions } from '../../../../src/event-hooks/serve/options.ts';
import type { Served } from '../../../../src/event-hooks/serve/serve.ts';
import { serveDispatcher } from '../../../../src/event-hooks/serve/serve.ts';

let kong: Server | null = null;
let served: Served | null = null;

afterEach(async () => {
  await served?.stop();
  kong?.closeAllConnections();
  await new Promise((resolve) => (kong === null ? resolve(null) : kong.close(resolve)));
});

/** What Kong sees of a client without a login of its own, and what is warned of. */
async function through(
  listen: string,
  args: string[],
): Promise<{ seen: (string | undefined)[]; log: string }> {
  const seen: (string | undefined)[] = [];
  kong = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end('{}');
  });
  await new Promise<void>((resolve) => kong?.listen(0, '127.0.0.1', resolve));
  const url = `http://me:secret@127.0.0.1:${String((kong.address() as AddressInfo).port)}`;
  const options = parseServeOptions(['--admin', listen, '--kong-admin', url, ...args], {});
  const lines: string[] = [];
  const line = (message: string): void => void lines.push(message);
  const log = { debug: line, info: line, notice: line, warn: line, error: line };
  served = await serveDispatcher({ ...options, dispatcher: { ...options.dispatcher, log } });
  const port = new URL(served.admin ?? '').port;
  await fetch(`http://127.0.0.1:${port}/services`);
  return { seen: seen.slice(-1), log: lines.join('\n') };
}

const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;

it('the login of --kong-admin is lent to clients of this machine', async () => {
  const { seen, log } = await through('127.0.0.1:0', []);
  expect(seen).toEqual([basic]);
  expect(log).not.toContain('--lend-kong-login');
});

it('is not lent on other addresses, which is said', async () => {
  const { seen, log } = await through('0.0.0.0:0', []);
  expect(seen).toEqual([undefined]);
  expect(log).toMatch(/not sent for clients of this port.*--lend-kong-login/);
});

it('is lent there with --lend-kong-login, with a warning', async () => {
  const { seen, log } = await through('0.0.0.0:0', ['--lend-kong-login']);
  expect(seen).toEqual([basic]);
  expect(log).toMatch(/whoever reaches this port acts in Kong/);
  expect(log).not.toContain('secret');
});
