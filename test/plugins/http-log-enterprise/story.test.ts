import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { DemoProcess } from '../../../src/cli/demo/process.ts';
import { cliPath, startProcess } from '../../../src/cli/demo/process.ts';
import { waitForHttp } from '../../../src/cli/demo/wait.ts';
import { freePort } from '../../support/free-port.ts';
import type { Sink } from './support/sink.ts';
import { accept, startSink } from './support/sink.ts';

/**
 * Three workspaces, each with a log endpoint and a format of its own, one webhook over all of them; the destinations
 * fail in turn, the webhook too. Every request is in its own team's log and in the webhook, none missing, none twice.
 */

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const teams = ['blue', 'green', 'red'] as const;
type Team = (typeof teams)[number];

/** Each team's own format. */
const formats: Record<Team, object> = {
  blue: {},
  green: { queue: { max_batch_size: 5, max_coalescing_delay: 0.3 }, compression: 'gzip' },
  red: { redaction: {}, custom_fields_by_lua: { team: 'return "red-" .. kong.request.get_method()' } },
};

async function sink(): Promise<Sink> {
  const started = await startSink();
  cleanUps.push(() => started.close());
  return started;
}

function configuration(team: Team, upstream: string, endpoint: string): string {
  return stringify({
    _format_version: '3.0',
    _workspace: `team-${team}`,
    services: [
      {
        name: `${team}-service`,
        url: upstream,
        routes: [{ name: `${team}-route`, paths: [`/${team}`], strip_path: false }],
      },
    ],
    plugins: [
      {
        name: 'http-log-enterprise',
        config: {
          ...formats[team],
          http_endpoint: `${endpoint}/logs/${team}`,
          queue: {
            initial_retry_delay: 0.05,
            max_retry_delay: 0.1,
            ...('queue' in formats[team] ? (formats[team].queue as object) : {}),
          },
        },
      },
    ],
  });
}

async function start(name: string, folder: string, args: string[], ready: string): Promise<DemoProcess> {
  const started = startProcess(name, args, join(folder, `${name}.log`));
  cleanUps.push(() => started.stop());
  await waitForHttp(ready, started, AbortSignal.timeout(25_000));
  return started;
}

/** The ids of the requests in a sink's log, from whatever format the team has. */
function idsOf({ received }: Sink): string[] {
  const records = received
    .filter(({ path }) => path.startsWith('/logs/'))
    .flatMap(({ body }) => JSON.parse(body) as { request: { uri: string } } | { request: { uri: string } }[]);
  return records.map(({ request }) => /n=(\d+)/.exec(request.uri)?.[1] ?? '?').sort();
}

it('three workspaces, one webhook, destinations failing in turn: every record is accounted for', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'http-log-story-'));
  cleanUps.push(() => rm(folder, { recursive: true, force: true }));
  const upstream = await sink();
  const webhook = await sink();
  const sinks = { blue: await sink(), green: await sink(), red: await sink() };
  const delivered: Record<Team, Sink['received']> = { blue: [], green: [], red: [] };
  const [proxy, admin, hooks, metrics] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const socket = join(folder, 'kong-ts.sock');
  const dataDir = join(folder, 'data');
  await start(
    'serve',
    folder,
    [
      ...[
        'serve',
        'http-log-enterprise',
        '--socket',
        socket,
        '--workers',
        '1',
        '--data-dir',
        dataDir,
        '--metrics',
        `127.0.0.1:${metrics}`,
      ],
      ...[
        '--event-hooks',
        'on',
        '--event-hooks-admin',
        `127.0.0.1:${hooks}`,
        '--event-hooks-allow',
        'loopback',
      ],
    ],
    `http://127.0.0.1:${hooks}/event-hooks/sources`,
  );
  const files: string[] = [];
  for (const team of teams) {
    const file = join(folder, `${team}.yml`);
    await writeFile(file, configuration(team, upstream.url, sinks[team].url));
    files.push('--config', file);
  }
  const dump = `'${process.execPath}' '${cliPath}' dump http-log-enterprise`;
  await start(
    'sandbox',
    folder,
    [
      ...[
        'sandbox',
        '--deck',
        ...files,
        '--proxy-listen',
        `127.0.0.1:${proxy}`,
        '--admin-listen',
        `127.0.0.1:${admin}`,
      ],
      ...['--plugin-server', `http-log-enterprise=${socket},query=${dump}`],
      ...['--event-hooks-admin', `http://127.0.0.1:${hooks}`],
    ],
    `http://127.0.0.1:${admin}/status`,
  );
  const created = await fetch(`http://127.0.0.1:${admin}/event-hooks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      source: 'http-log-enterprise',
      event: 'log',
      handler: 'webhook',
      config: { url: webhook.url },
    }),
  });
  expect(created.status).toBe(201);
  await webhook.until(1); // the ping

  let failing: Team | 'webhook' | null = null;
  const announced: Sink['received'] = [];
  webhook.answer = (request, response) => {
    if (failing === 'webhook') {
      response.writeHead(503).end();
      return;
    }
    announced.push(request);
    accept(request, response);
  };
  for (const team of teams) {
    sinks[team].answer = (request, response) => {
      if (failing === team) {
        response.writeHead(503).end();
        return;
      }
      delivered[team].push(request);
      accept(request, response);
    };
  }
  const each = 12;
  const rounds = ['webhook', ...teams] as const;
  for (const down of rounds) {
    failing = down;
    const first = rounds.indexOf(down) * each;
    for (let n = first; n < first + each; n++) {
      const answers = await Promise.all(
        teams.map((team) => fetch(`http://127.0.0.1:${proxy}/${team}/x?n=${n}&apikey=secret`)),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    }
  }
  failing = null;

  const expected = Array.from({ length: each * rounds.length }, (_, n) => String(n)).sort();
  const idsIn = (team: Team) => idsOf({ ...sinks[team], received: delivered[team] });
  for (const team of teams) {
    await expect.poll(() => idsIn(team).length, { timeout: 10_000 }).toBe(expected.length);
    expect(idsIn(team)).toEqual(expected);
  }
  expect(delivered.green.every(({ body }) => body.startsWith('['))).toBe(true);
  expect(
    delivered.red.every(({ body }) => body.includes('"team":"red-GET"') && !body.includes('secret')),
  ).toBe(true);

  const routes = () =>
    announced
      .map(({ body }) => JSON.parse(body) as { event: string; route?: { name: string } })
      .filter(({ event }) => event === 'log')
      .map(({ route }) => route?.name);
  await expect.poll(() => routes().length, { timeout: 25_000 }).toBe(expected.length * teams.length);
  for (const team of teams)
    expect(routes().filter((name) => name === `${team}-route`)).toHaveLength(expected.length);

  const exposition = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
  const numbers = (name: string) =>
    exposition
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`))
      .map((line) => Number(line.slice(line.lastIndexOf(' '))));
  const all = teams.map(() => expected.length);
  expect(numbers('http_log_received_total')).toEqual(all);
  expect(numbers('http_log_sent_total')).toEqual(all);
  expect(numbers('http_log_dropped_total')).toEqual([]);
  expect(numbers('http_log_queue_length')).toEqual([0, 0, 0]);
}, 60_000);
