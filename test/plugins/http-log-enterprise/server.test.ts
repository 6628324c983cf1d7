import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { cliPath } from '../../../src/cli/demo/process.ts';
import { startSandbox } from '../../../src/sandbox/index.ts';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/until.ts';
import type { Sink } from './support/sink.ts';
import { accept, startSink } from './support/sink.ts';

/** http-log-enterprise in the real server, `kong-ts serve`, behind the sandbox: what happens when processes end. */

const cleanUps: (() => unknown)[] = [];
let folder = '';
let socket = '';
let metrics = 0;
let logs: Sink;
let upstream: Sink;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'http-log-server-'));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  socket = join(folder, 'socket');
  metrics = await freePort();
  logs = await startSink();
  upstream = await startSink();
  cleanUps.push(
    () => logs.close(),
    () => upstream.close(),
  );
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const reachable = (): Promise<true | null> =>
  new Promise((resolve) => {
    const probe = net.connect(socket, () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', () => resolve(null));
  });

/** The server in a process group of its own, so that `kill -9` takes supervisor and worker at once. */
async function serve(): Promise<ChildProcess> {
  const args = ['serve', 'http-log-enterprise', '--socket', socket, '--workers', '1', '--event-hooks', 'off'];
  args.push('--data-dir', join(folder, 'data'), '--metrics', `127.0.0.1:${metrics}`);
  const child = spawn(process.execPath, [cliPath, ...args], { stdio: 'ignore', detached: true });
  cleanUps.push(() => killGroup(child));
  await until('the server', reachable);
  await until('its metrics', () => metric(/^http_log/).catch(() => null));
  return child;
}

async function killGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  process.kill(-child.pid, 'SIGKILL');
  await gone;
}

async function sandbox(config: object, streamListen = 'off') {
  const file = join(folder, 'kong.yml');
  writeFileSync(file, stringify(config));
  const gateway = await startSandbox({
    config: [file],
    proxyListen: '127.0.0.1:0',
    adminListen: 'off',
    streamListen,
    prefix: folder,
    logLevel: 'crit',
    pluginServers: [
      {
        name: 'http-log-enterprise',
        socket,
        queryCommand: `'${process.execPath}' '${cliPath}' dump http-log-enterprise`,
      },
    ],
  });
  cleanUps.push(() => gateway.close());
  return gateway;
}

const plugin = (config: object = {}) => ({
  name: 'http-log-enterprise',
  config: {
    http_endpoint: logs.url,
    shutdown_grace: 0.2,
    queue: { initial_retry_delay: 0.05, max_retry_delay: 0.1 },
    ...config,
  },
});

const service = (name: string, plugins: object[]) => ({
  name,
  url: upstream.url,
  routes: [{ name: `${name}-route`, paths: [`/${name}`], strip_path: false }],
  plugins,
});

async function metric(pattern: RegExp): Promise<number[]> {
  const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => pattern.test(line))
    .map((line) => Number(line.slice(line.lastIndexOf(' '))));
}

it('loses no record of a server that is killed, nor of one that is stopped', async () => {
  let down = true;
  const delivered: string[] = [];
  logs.answer = (request, response) => {
    if (down) {
      response.writeHead(503).end();
      return;
    }
    delivered.push(/n=(\d+)/.exec(request.body)?.[1] ?? '?');
    accept(request, response);
  };
  const gateway = await sandbox({ _format_version: '3.0', services: [service('a', [plugin()])] });
  let sent = 0;
  const request = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      const answer = await fetch(`${gateway.proxyUrl}/a/x?n=${sent++}`);
      expect(answer.status).toBe(200);
    }
  };
  const received = () => metric(/^http_log_received_total/);

  let server = await serve();
  await request(10);
  await until('the records in the spool', async () => ((await received())[0] === 10 ? true : null));
  await killGroup(server);

  server = await serve();
  await request(10);
  await until('the records in the spool', async () => ((await received())[0] === 10 ? true : null));
  server.kill('SIGTERM');
  const [status] = (await once(server, 'exit')) as [number];
  expect(status).toBe(0);
  expect(delivered).toEqual([]);

  down = false;
  await serve();
  await request(1);
  await expect.poll(() => new Set(delivered).size, { timeout: 15_000 }).toBe(21);
  expect(delivered).toHaveLength(21);
  expect(await metric(/^http_log_recovered_total/)).toEqual([20]);
  expect(await metric(/^http_log_dropped_total/)).toEqual([]);
}, 60_000);

it('shows the numbers of each configuration in /metrics', async () => {
  logs.answer = (request, response) => {
    if (request.path === '/down') response.writeHead(400).end();
    else accept(request, response);
  };
  const gateway = await sandbox({
    _format_version: '3.0',
    services: [
      service('up', [plugin({ http_endpoint: `${logs.url}/up` })]),
      service('down', [plugin({ http_endpoint: `${logs.url}/down` })]),
    ],
  });
  await serve();
  for (const name of ['up', 'up', 'down']) await fetch(`${gateway.proxyUrl}/${name}`);
  await until('the records', async () =>
    (await metric(/^http_log_(sent_total|dropped_total)/)).reduce((sum, value) => sum + value, 0) === 3
      ? true
      : null,
  );
  expect((await metric(/^http_log_received_total\{.*instance=/)).sort()).toEqual([1, 2]);
  expect((await metric(/^http_log_spooled_total/)).sort()).toEqual([1, 2]);
  expect(Math.max(...(await metric(/^http_log_sent_total/)))).toBe(2);
  expect(await metric(/^http_log_dropped_total\{.*reason="refused"/)).toEqual([1]);
  expect(Math.max(...(await metric(/^http_log_sent_bytes_total/)))).toBe(
    logs.received.filter(({ path }) => path === '/up').reduce((sum, { body }) => sum + body.length, 0),
  );
  expect(Math.max(...(await metric(/^http_log_request_seconds_count/)))).toBe(2);
  expect(await metric(/^http_log_queue_length/)).toEqual([0, 0]);
  expect(await metric(/^http_log_queue_bytes/)).toEqual([0, 0]);
}, 60_000);

it('logs TCP and TLS connections', async () => {
  const echo = net.createServer((peer) => peer.on('error', () => undefined).pipe(peer));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => new Promise((resolve) => echo.close(resolve)));
  const [tcpPort, tlsPort] = [await freePort(), await freePort()];
  await serve();
  await sandbox(
    {
      _format_version: '3.0',
      services: [
        {
          name: 'echo',
          url: `tcp://127.0.0.1:${(echo.address() as net.AddressInfo).port}`,
          routes: [
            { name: 'plain', protocols: ['tcp'], destinations: [{ port: tcpPort }] },
            // A server name alone would be no condition for the connection without TLS.
            {
              name: 'secure',
              protocols: ['tls'],
              snis: ['stream.example.test'],
              destinations: [{ port: tlsPort }],
            },
          ],
        },
      ],
      plugins: [{ ...plugin({ filter: { statuses: ['2xx'] } }), protocols: ['tcp', 'tls'] }],
    },
    `127.0.0.1:${tcpPort}, 127.0.0.1:${tlsPort} ssl`,
  );
  const say = async (peer: net.Socket): Promise<string> => {
    peer.write('hello');
    const [answer] = (await once(peer, 'data')) as [Buffer];
    peer.end();
    return answer.toString();
  };
  expect(await say(net.connect(tcpPort, '127.0.0.1'))).toBe('hello');
  expect(
    await say(
      tls.connect({
        port: tlsPort,
        host: '127.0.0.1',
        servername: 'stream.example.test',
        rejectUnauthorized: false,
      }),
    ),
  ).toBe('hello');
  await logs.until(2);
  const records = logs.received.map(
    ({ body }) =>
      JSON.parse(body) as {
        route: { name: string };
        session: { status: number; tls?: object };
        tries: object[];
      },
  );
  expect(records.map(({ route }) => route.name).sort()).toEqual(['plain', 'secure']);
  for (const { session, tries, route } of records) {
    expect(session.status).toBe(200);
    expect(tries).toHaveLength(1);
    expect(session.tls !== undefined).toBe(route.name === 'secure');
  }
}, 60_000);
