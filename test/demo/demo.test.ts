import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Received } from '../../src/cli/demo/receiver.ts';
import { cliPath, runCli } from '../support/run-cli.ts';

const teams = ['blue', 'green'] as const;

let folder: string;
let ports: Record<'proxy' | 'admin' | 'eventHooks' | 'upstream', number>;
let demo: ChildProcess;
let output = '';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function demoArguments(): string[] {
  return [
    'demo',
    ...['--proxy-port', String(ports.proxy), '--admin-port', String(ports.admin)],
    ...['--event-hooks-port', String(ports.eventHooks), '--upstream-port', String(ports.upstream)],
    ...['--data-dir', folder],
  ];
}

async function freeArguments(): Promise<string[]> {
  const names = ['--proxy-port', '--admin-port', '--event-hooks-port', '--upstream-port'];
  return ['demo', ...(await Promise.all(names.map(async (name) => [name, String(await freePort())]))).flat()];
}

/** Waits for something that other processes bring about. */
async function until<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  for (let tries = 0; tries < 300; tries += 1) {
    const found = await look();
    if (found !== null) return found;
    await sleep(100);
  }
  throw new Error(`${what} did not come about`);
}

async function received(prefix: string): Promise<Received[]> {
  const response = await fetch(`http://127.0.0.1:${ports.upstream}/received?path=${prefix}`);
  return (await response.json()) as Received[];
}

/** Every request comes from another client, so that its event can be told from the others. */
const clientOf = (i: number): string => `10.0.${Math.floor(i / 100)}.${i % 100}`;

interface Logged {
  request: { uri: string };
}

/** The request paths in a team's log: a delivery holds one record or a list of them. */
function loggedUris(deliveries: Received[]): string[] {
  return deliveries
    .flatMap(({ body }) => (Array.isArray(body) ? (body as Logged[]) : [body as Logged]))
    .map(({ request }) => request.uri)
    .sort();
}

interface Hooked {
  source: string;
  ip: string;
  service?: { name: string };
}

/** Service and client address of the events that reached the webhook; the dispatcher's ping is none. */
function hookedEvents(deliveries: Received[]): string[] {
  return deliveries
    .map(({ body }) => body as Hooked)
    .filter(({ source }) => source === 'http-log-enterprise')
    .map(({ ip, service }) => `${service?.name} ${ip}`)
    .sort();
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-demo-test-'));
  ports = {
    proxy: await freePort(),
    admin: await freePort(),
    eventHooks: await freePort(),
    upstream: await freePort(),
  };
  demo = spawn(process.execPath, [cliPath, ...demoArguments()], { stdio: ['ignore', 'pipe', 'pipe'] });
  const collect = (text: string): void => void (output += text);
  demo.stdout?.setEncoding('utf8').on('data', collect);
  demo.stderr?.setEncoding('utf8').on('data', collect);
  await until('the start', async () => {
    if (demo.exitCode !== null) throw new Error(`the demo ended: ${output}`);
    return output.includes('Ctrl-C ends all of it.') ? true : null;
  });
}, 60_000);

afterAll(async () => {
  if (demo.exitCode === null && demo.signalCode === null) {
    demo.kill('SIGTERM');
    await once(demo, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

describe('what npm start starts', () => {
  it("logs every request to its team's endpoint and to the webhook, none missing and none twice", async () => {
    const sent = Array.from({ length: 200 }, (_, i) => `/${teams[i % 2]}/request-${i}`);
    const responses = await Promise.all(
      sent.map((uri, i) =>
        fetch(`http://127.0.0.1:${ports.proxy}${uri}`, { headers: { 'x-real-ip': clientOf(i) } }),
      ),
    );
    expect(responses.map(({ status }) => status)).toEqual(sent.map(() => 200));

    for (const team of teams) {
      const log = await until(`the log of ${team}`, async () => {
        const deliveries = await received(`/logs/${team}`);
        return loggedUris(deliveries).length >= 100 ? deliveries : null;
      });
      expect(loggedUris(log)).toEqual(sent.filter((uri) => uri.startsWith(`/${team}/`)).sort());
    }
    const hooked = await until('the webhook', async () => {
      const deliveries = await received('/webhook');
      return deliveries.length > 200 ? deliveries : null;
    });
    expect(hookedEvents(hooked)).toEqual(
      sent.map((_uri, i) => `${teams[i % 2]}-service ${clientOf(i)}`).sort(),
    );
    expect(new Set(hooked.map(({ headers }) => headers['webhook-id'])).size).toBe(hooked.length);
  }, 60_000);

  it('says which port is taken and which option changes it', async () => {
    const second = await runCli(demoArguments());
    expect(second).toEqual({
      status: 1,
      stdout: '',
      stderr: `kong-ts: Port ${ports.proxy} on 127.0.0.1 is taken by another process. End that process, or choose another port with --proxy-port PORT.\n`,
    });
  });

  it('leaves nothing behind when it is stopped while it starts', async () => {
    const other = mkdtempSync(path.join(tmpdir(), 'kong-ts-demo-early-'));
    const args = [...(await freeArguments()), '--data-dir', other];
    const early = spawn(process.execPath, [cliPath, ...args], { stdio: 'ignore' });
    await until('a process', async () => (processesWith(path.join(other, 'data')).length > 0 ? true : null));
    early.kill('SIGINT');
    const [status] = (await once(early, 'exit')) as [number | null];
    expect(status).toBe(0);
    expect(processesWith(other)).toEqual([]);
    rmSync(other, { recursive: true, force: true });
  }, 60_000);

  it('leaves no process and no socket behind at Ctrl-C', async () => {
    demo.kill('SIGINT');
    const [status] = (await once(demo, 'exit')) as [number | null];
    expect(status).toBe(0);
    expect(readdirSync(folder).filter((name) => name.includes('sock'))).toEqual([]);
    for (const port of Object.values(ports)) {
      await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
    }
    // Every process of the demo has the folder in its arguments.
    expect(processesWith(folder)).toEqual([]);
  }, 30_000);
});

/** Ids of processes with this text in their arguments; none where the system has no /proc. */
function processesWith(text: string): string[] {
  if (!existsSync('/proc')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => commandLine(pid).includes(text));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
