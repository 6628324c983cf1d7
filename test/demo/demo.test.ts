import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Received } from '../../src/cli/demo/receiver.ts';
import { freePort } from '../support/free-port.ts';
import { processesWith } from '../support/processes.ts';
import { cliPath, runCli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';

const teams = ['blue', 'green'] as const;

let folder: string;
let ports: Record<'proxy' | 'admin' | 'eventHooks' | 'upstream', number>;
let demo: ChildProcess;
let output = '';

function demoArguments(): string[] {
  return [
    'demo',
    ...['--proxy-port', String(ports.proxy), '--admin-port', String(ports.admin)],
    ...['--event-hooks-port', String(ports.eventHooks), '--upstream-port', String(ports.upstream)],
    ...['--data-dir', folder],
  ];
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
});

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
  });
});
