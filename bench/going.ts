/**
 * Counts what requests lose when a plugin server goes, is killed or is followed by another, with real processes below
 * processes that have nginx's names. Each request is an access event and a log event.
 *
 *   node bench/going.ts [kills|reload|slow|starts] [requests per second=300]
 *
 * Prints a line for each situation and protocol. `failed` are requests with a 500, `skipped` those on which Kong went on
 * without the plugin, `lost` log records that nobody wrote, `anew` events that Kong began anew: over MsgPack:1 each is a
 * line `No plugin instance` in its error.log.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askServer } from '../src/server/admin/client.ts';
import type { ServerStatus } from '../src/server/index.ts';
import type { Protocol } from '../src/pdk/names/phases.ts';
import { KongClient } from '../test/server/support/kong-client.ts';
import { NginxMaster } from '../test/server/support/nginx.ts';
import { isAlive, plugin, program, until, Workbench } from '../test/server/support/server-process.ts';

const [only, rate = '300'] = process.argv.slice(2);
const clientsAtOnce = 12;
const betweenMs = (clientsAtOnce * 1000) / Number(rate);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const plugins = {
  protobuf: { access: 'steady', log: 'recording' },
  msgpack: { access: 'packed', log: 'packed-recording' },
} as const;

/** A Kong below which servers are started, and the requests that it serves. */
class Situation {
  readonly bench: Workbench;
  readonly nginx = new NginxMaster();
  readonly socket: string;
  readonly #records: string;
  readonly #clients: KongClient[] = [];
  readonly #sent: string[] = [];
  readonly #failures: string[] = [];
  #stopped = false;
  #loops: Promise<void>[] = [];
  done = 0;
  longestMs = 0;

  private constructor(bench: Workbench) {
    this.bench = bench;
    this.socket = join(bench.folder, 'k.sock');
    this.#records = join(bench.folder, 'records');
  }

  static async create(): Promise<Situation> {
    return new Situation(await Workbench.create());
  }

  start(served: readonly string[], env: Record<string, string> = {}): void {
    const options = ['--socket', this.socket, '--event-hooks', 'off', '--workers', '2'];
    this.nginx.order({
      start: [process.execPath, program, 'serve', ...served.map(plugin), ...options],
      env,
    });
  }

  async status(): Promise<ServerStatus> {
    return (await askServer(`${this.socket}.ctl`, 'GET', '/status')) as ServerStatus;
  }

  async ready(server: number): Promise<void> {
    await until(async () => {
      const now = await this.status().catch(() => null);
      return (
        now !== null &&
        now.pid === this.nginx.pids[server] &&
        now.workers.every(({ state }) => state === 'ready')
      );
    }, 'the server');
  }

  /** @param anew whether each fourth client is a new nginx worker at each request */
  traffic(protocols: readonly Protocol[], anew = true): void {
    this.#loops = Array.from({ length: clientsAtOnce }, async (_, at) => {
      const kong = new KongClient(this.socket, protocols[at % protocols.length]);
      this.#clients.push(kong);
      await pause((betweenMs * at) / clientsAtOnce);
      while (!this.#stopped) {
        const begun = performance.now();
        await this.#request(kong).catch((error: unknown) => this.#failures.push(String(error)));
        const took = performance.now() - begun;
        this.longestMs = Math.max(this.longestMs, took);
        if (anew && at % 4 === 3) kong.forgetConnections();
        await pause(Math.max(0, betweenMs - took));
      }
    });
  }

  async more(count: number): Promise<void> {
    const goal = this.done + count;
    await until(
      async () => this.done > goal,
      'requests',
      () => this.#failures.slice(0, 5).join('\n'),
    );
  }

  async end(what: string): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    const written = new Set(existsSync(this.#records) ? readFileSync(this.#records, 'utf8').split('\n') : []);
    const counts = {
      requests: this.done,
      failed: this.#failures.length,
      skipped: this.#clients.reduce((sum, { skipped }) => sum + skipped.length, 0),
      lost: this.#sent.filter((record) => !written.has(record)).length,
      anew: this.#clients.reduce((sum, { retries }) => sum + retries, 0),
      longestMs: Math.round(this.longestMs),
    };
    process.stdout.write(`${what}: ${JSON.stringify(counts)}\n`);
    for (const failure of new Set(this.#failures)) process.stdout.write(`  ${failure}\n`);
    for (const skip of new Set(this.#clients.flatMap(({ skipped }) => skipped)))
      process.stdout.write(`  skipped: ${skip}\n`);
    if (process.env['GOING_LOG'])
      for (const line of this.nginx.log)
        if (!['info', 'debug'].includes(line.level))
          process.stdout.write(`    ${JSON.stringify(line).slice(0, 400)}\n`);
    for (const client of this.#clients) client.close();
    await this.nginx.close();
    await until(async () => !this.nginx.pids.some(isAlive), 'the end of the servers');
    await this.bench.clean();
  }

  async #request(kong: KongClient): Promise<void> {
    const { access, log } = plugins[kong.protocol];
    await kong.event(access, {}, 'access');
    const record = `record-${String(this.#sent.length)}-${String(Math.random())}`;
    kong.results['kong.log.serialize'] = record;
    this.#sent.push(record);
    await kong.event(log, { file: this.#records }, 'log');
    this.done++;
  }
}

/** Four workers are killed, one after the other. */
async function kills(protocols: readonly Protocol[], all: readonly string[], name: string): Promise<void> {
  const situation = await Situation.create();
  situation.start(all);
  await situation.ready(0);
  situation.traffic(protocols, false);
  for (let kill = 0; kill < 4; kill++) {
    await situation.more(300);
    let victim: number | null = null;
    await until(async () => {
      const { workers } = await situation.status();
      victim =
        workers.find(
          ({ state, readyAt }) => state === 'ready' && readyAt !== null && Date.now() - readyAt > 600,
        )?.pid ?? null;
      return victim !== null;
    }, 'a worker that has served for a while');
    if (victim !== null) process.kill(victim, 'SIGKILL');
  }
  await situation.more(300);
  await situation.end(`kill -9 of a worker, 4 times, ${name}`);
}

/** `kong reload`: SIGTERM, SIGKILL of the supervisor 0.4 s later, and the next server. */
async function reload(protocols: readonly Protocol[], all: readonly string[], name: string): Promise<void> {
  const situation = await Situation.create();
  situation.start(all);
  await situation.ready(0);
  situation.traffic(protocols);
  await situation.more(300);
  situation.nginx.order({ leave: true });
  situation.start(all);
  await pause(400);
  await situation.ready(1);
  await situation.more(600);
  await situation.end(`kong reload, ${name}`);
}

/** The next server loads a plugin for 10 s. */
async function slow(protocols: readonly Protocol[], all: readonly string[], name: string): Promise<void> {
  const situation = await Situation.create();
  situation.start(all);
  await situation.ready(0);
  situation.traffic(protocols);
  await situation.more(300);
  const gate = join(situation.bench.folder, 'gate');
  situation.longestMs = 0;
  situation.start([...all, 'slow'], { SLOW_PLUGIN_GATE: gate });
  await pause(10_000);
  writeFileSync(gate, '');
  await situation.ready(1);
  await situation.more(300);
  await situation.end(`a takeover by a server that loads for 10 s, ${name}`);
}

/** A third server starts while the second one is loading; the second one is ready last. */
async function starts(protocols: readonly Protocol[], all: readonly string[], name: string): Promise<void> {
  const situation = await Situation.create();
  situation.start(all);
  await situation.ready(0);
  situation.traffic(protocols);
  await situation.more(300);
  const gate = join(situation.bench.folder, 'gate');
  situation.start([...all, 'slow'], { SLOW_PLUGIN_GATE: gate });
  await until(async () => situation.nginx.logged('a live server has the socket'), 'the second server');
  situation.start(all);
  await situation.ready(2);
  await situation.more(300);
  writeFileSync(gate, '');
  await situation.ready(1);
  await situation.more(300);
  await situation.end(`a takeover while another server starts, ${name}`);
}

const situations = { kills, reload, slow, starts };
const served = (protocols: readonly Protocol[]): string[] =>
  protocols.flatMap((protocol) => Object.values(plugins[protocol]));
for (const [name, run] of Object.entries(situations)) {
  if (only !== undefined && only !== name) continue;
  for (const protocols of [['protobuf'], ['msgpack'], ['protobuf', 'msgpack']] as const) {
    await run(protocols, served(protocols), `${protocols.join(' and ')} on one socket`);
  }
}
