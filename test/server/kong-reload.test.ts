import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askServer } from '../../src/server/admin/client.ts';
import type { ServerStatus } from '../../src/server/index.ts';
import type { Protocol } from '../../src/pdk/names/phases.ts';
import { KongClient, Load } from './support/kong-client.ts';
import { NginxMaster } from './support/nginx.ts';
import { isAlive, plugin, program, until, Workbench } from './support/server-process.ts';

// `kong reload` and `kong stop`, as nginx does them to the server that it has started.

let bench: Workbench;
let nginx: NginxMaster;
let clients: KongClient[];
let socket: string;

beforeEach(async () => {
  bench = await Workbench.create();
  nginx = new NginxMaster();
  clients = [];
  socket = join(bench.folder, 'k.sock');
});
afterEach(async () => {
  for (const client of clients) client.close();
  await nginx.close();
  await until(async () => !nginx.pids.some(isAlive), 'the end of the servers');
  await bench.clean();
});

function start(plugins: readonly string[], env: Record<string, string> = {}): void {
  const options = ['--socket', socket, '--event-hooks', 'off', '--workers', '2'];
  nginx.order({ start: [process.execPath, program, 'serve', ...plugins.map(plugin), ...options], env });
}

const status = async (): Promise<ServerStatus> =>
  (await askServer(`${socket}.ctl`, 'GET', '/status')) as ServerStatus;
const workers = async (): Promise<number[]> => (await status()).workers.flatMap(({ pid }) => pid ?? []);

async function ready(pid: () => number | undefined): Promise<void> {
  await until(
    async () => {
      const now = await status().catch(() => null);
      return now !== null && now.pid === pid() && now.workers.every(({ state }) => state === 'ready');
    },
    'the server',
    () => JSON.stringify(nginx.log),
  );
}

/** Requests with a log event each, over new connections and over old ones. */
class Traffic {
  readonly file = join(bench.folder, 'records');
  readonly sent: string[] = [];
  /** Whether some of the requests come on new connections, as those of a new nginx worker do. */
  anew = true;
  readonly #clients: KongClient[] = [];
  readonly #loads: Load[];
  #next = 0;

  constructor(protocols: readonly Protocol[], concurrency: number) {
    this.#loads = Array.from({ length: concurrency }, (_, at) => {
      const kong = new KongClient(socket, protocols[at % protocols.length]);
      clients.push(kong);
      this.#clients.push(kong);
      return new Load(1, () => this.#request(kong, at % 4 === 3));
    });
  }

  get done(): number {
    return this.#loads.reduce((sum, { done }) => sum + done, 0);
  }

  async more(count: number): Promise<void> {
    const before = this.done;
    await until(
      async () => this.done > before + count,
      'requests',
      () => JSON.stringify(this.#failures),
    );
  }

  get #failures(): string[] {
    return this.#loads.flatMap(({ failures }) => failures);
  }

  async stop(): Promise<{ failed: string[]; skipped: string[]; lost: string[] }> {
    await Promise.all(this.#loads.map((load) => load.stop()));
    const written = new Set(readFileSync(this.file, 'utf8').split('\n'));
    return {
      failed: this.#failures,
      skipped: this.#clients.flatMap(({ skipped }) => skipped),
      lost: this.sent.filter((record) => !written.has(record)),
    };
  }

  async #request(kong: KongClient, anew: boolean): Promise<void> {
    const [access, log] = namesOf[kong.protocol];
    await kong.event(access, {}, 'access');
    const record = `record-${String(this.#next++)}`;
    kong.results['kong.log.serialize'] = record;
    await kong.event(log, { file: this.file }, 'log');
    this.sent.push(record);
    // As a worker that is new.
    if (anew && this.anew) kong.forgetConnections();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const namesOf = { protobuf: ['steady', 'recording'], msgpack: ['packed', 'packed-recording'] } as const;
const plugins = ['steady', 'recording', 'packed', 'packed-recording'];

/** The nginx worker leaves. It kills the server as soon as that has handed on what it had accepted itself. */
async function leave(): Promise<void> {
  nginx.order({ leave: true });
  await until(async () => nginx.logged('a worker accepts'), 'the worker that accepts');
  await until(async () => (await status()).waitingConnections === 0, 'the handover');
  nginx.order({ end: true });
  await until(async () => nginx.left === 1 && !isAlive(nginx.pids[0] ?? 0), 'the end of the supervisor');
}

/** Traffic over both protocols while something happens to the first server. */
async function under(what: (traffic: Traffic) => Promise<void>): Promise<void> {
  start(plugins);
  await ready(() => nginx.pids[0]);
  const traffic = new Traffic(['protobuf', 'msgpack'], 8);
  await traffic.more(50);
  await what(traffic);
  await traffic.more(100);
  expect(await traffic.stop()).toEqual({ failed: [], skipped: [], lost: [] });
  expect((await status()).unknownInstances).toBe(0);
}

describe('a server that Kong has started', { timeout: 120_000 }, () => {
  it('loses nothing at kong reload, also where it is killed long before the next one has loaded its plugins', async () => {
    await under(async (traffic) => {
      const old = await workers();
      await leave();
      await traffic.more(100);
      const gate = join(bench.folder, 'gate');
      start([...plugins, 'slow'], { SLOW_PLUGIN_GATE: gate });
      await until(async () => nginx.logged('a live server has the socket'), 'the next server');
      await traffic.more(100);
      writeFileSync(gate, '');
      await ready(() => nginx.pids[1]);
      await traffic.more(50);
      // Kong has let go of what it had there, or ends it when it has not used it for a while.
      for (const client of clients) client.forgetConnections();
      await until(async () => !old.some(isAlive), 'the end of the workers before');
    });
  });

  it('loses nothing when it is killed and Kong starts it again', async () => {
    await under(async (traffic) => {
      // A connection that it has accepted and that no worker has taken yet ends with it.
      traffic.anew = false;
      await traffic.more(20);
      await until(async () => (await status()).waitingConnections === 0, 'the handover');
      nginx.order({ kill: true });
      await until(async () => !isAlive(nginx.pids[0] ?? 0), 'the end of the supervisor');
      traffic.anew = true;
      await traffic.more(50);
      start(plugins);
      await ready(() => nginx.pids[1]);
    });
  });

  it.each([
    ['kong stop', { stop: 50 }],
    ['kong quit', { quit: 50 }],
  ] as const)('ends with all of its workers at %s', async (_command, order) => {
    start(plugins);
    await ready(() => nginx.pids[0]);
    const pids = await workers();
    const kong = new KongClient(socket);
    clients.push(kong);
    await kong.event('steady', {}, 'access');
    nginx.order(order);
    await until(
      async () => ![...pids, ...nginx.pids].some(isAlive),
      'the end of all of it',
      undefined,
      15_000,
    );
  });
});
