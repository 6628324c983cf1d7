import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Protocol } from '../../src/pdk/names/phases.ts';
import { KongClient, Load } from './support/kong-client.ts';
import { until, Workbench } from './support/server-process.ts';

// One server after the other under load, as one nginx worker sees it: requests with a log event each.

let bench: Workbench;
let nginx: KongClient;

beforeEach(async () => {
  bench = await Workbench.create();
});
afterEach(async () => {
  nginx.close();
  await bench.clean();
});

const plugins = ['steady', 'recording', 'packed', 'packed-recording'];
const namesOf = { protobuf: ['steady', 'recording'], msgpack: ['packed', 'packed-recording'] } as const;
/** What Kong reads while nobody listens. */
const nobody = /connection refused|no such file/;

/** Requests whose log records are numbered; each loop has a client of its own, in the same nginx worker. */
class Traffic {
  readonly sent: string[] = [];
  readonly file = join(bench.folder, 'records');
  readonly clients: KongClient[] = [];
  readonly #loads: Load[];
  #next = 0;

  constructor(path: string, protocols: readonly Protocol[], concurrency: number) {
    nginx = new KongClient(path);
    this.#loads = Array.from({ length: concurrency }, (_, at) => {
      const protocol = protocols[at % protocols.length] ?? 'msgpack';
      const kong = new KongClient(path, protocol, nginx);
      this.clients.push(kong);
      return new Load(1, () => this.#request(kong));
    });
  }

  async more(count: number): Promise<void> {
    const done = () => this.#loads.reduce((sum, load) => sum + load.done, 0);
    const before = done();
    await until(async () => done() > before + count, 'events');
  }

  /** What went wrong although somebody listened. */
  async stop(): Promise<{ failed: string[]; skipped: string[]; lost: string[]; retries: number }> {
    await Promise.all(this.#loads.map((load) => load.stop()));
    const ours = (texts: readonly string[]) => texts.filter((text) => !nobody.test(text));
    const written = new Set(readFileSync(this.file, 'utf8').split('\n'));
    return {
      failed: ours(this.#loads.flatMap(({ failures }) => failures)),
      skipped: ours(this.clients.flatMap(({ skipped }) => skipped)),
      lost: this.sent.filter((record) => !written.has(record)),
      retries: this.clients.reduce((sum, { retries }) => sum + retries, 0),
    };
  }

  async #request(kong: KongClient): Promise<void> {
    const [access, log] = namesOf[kong.protocol];
    await kong.event(access, {}, 'access');
    const record = `record-${String(this.#next++)}`;
    kong.results['kong.log.serialize'] = record;
    const { length } = kong.skipped;
    await kong.event(log, { file: this.file }, 'log');
    if (kong.skipped.length === length) this.sent.push(record);
    // Many at the same time, and none of the processes starves.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const mixes: [string, Protocol[]][] = [
  ['MsgPack:1', ['msgpack']],
  ['both protocols', ['msgpack', 'protobuf']],
];

describe.each(mixes)('over %s, under load', (_name, protocols) => {
  it('a takeover and the end of the server before it: no event is skipped, none fails, no record is lost', async () => {
    const first = await bench.serve(plugins, '--workers', '2').ready();
    const traffic = new Traffic(first.socket, protocols, 16);
    await traffic.more(200);
    const second = bench.serve(plugins, '--workers', '2');
    await second.logged('listening');
    await traffic.more(100);
    first.kill('SIGTERM');
    await first.exited;
    await traffic.more(200);
    const { retries, skipped, failed, lost } = await traffic.stop();
    expect(lost).toEqual([]);
    expect([skipped, failed]).toEqual([[], []]);
    // Lines "No plugin instance" and "closed" in Kong's log.
    expect(retries).toBeLessThan(50);
    expect((await second.status()).unknownInstances).toBe(0);
  }, 120_000);

  it('kill -9 of the supervisor and a new server: no record is lost but what came while nobody listened', async () => {
    const first = await bench.serve(plugins, '--workers', '2').ready();
    const traffic = new Traffic(first.socket, protocols, 16);
    await traffic.more(200);
    first.kill('SIGKILL');
    await first.exited;
    const second = await bench.serve(plugins, '--workers', '2').ready();
    await traffic.more(200);
    const { retries, skipped, failed, lost } = await traffic.stop();
    expect(lost).toEqual([]);
    // What Kong writes in the instant in which a connection ends, at most once for each of them: an event is skipped over
    // MsgPack:1, a start fails over ProtoBuf:1.
    expect(
      [...skipped, ...failed].filter((text) => !/^(no data|starting instance: closed)$/.test(text)),
    ).toEqual([]);
    expect(skipped.length + failed.length).toBeLessThanOrEqual(16);
    expect(retries).toBeLessThan(50);
    expect((await second.status()).unknownInstances).toBe(0);
  }, 120_000);
});
