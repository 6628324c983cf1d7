import { afterEach, describe, expect, it } from 'vitest';
import { definePlugin } from '../../../src/index.ts';
import { catalogue } from '../../../src/pdk/catalogue.ts';
import type { FunctionRow, Phase, Protocol } from '../../../src/pdk/index.ts';
import { compileKongPdk } from '../../../src/plugin/kong-pdk/compile.ts';
import { testPlugin } from '../../../src/testing/index.ts';
import type { KongDescription, LeftByLua } from '../../../src/testing/index.ts';
import { callByPath } from '../../unit/pdk/fake-channel.ts';
import { matrix } from '../../unit/pdk/matrix.ts';

/**
 * A plugin server is a peer that can make Kong's Lua raise. In the log phase that leaves a request's data behind for
 * handlers of later requests; elsewhere the client gets a 500. So every function is called in every phase, over both
 * protocols, with right and with wrong arguments, on all kinds of requests, and Kong never raises: what it would not take
 * is refused before it is sent.
 */

const wrong: readonly unknown[] = [
  undefined,
  null,
  '',
  'x',
  'Content-Length',
  'KONG_PHASE',
  'KONG_LOG',
  '_mine',
  'balancer_data',
  -1,
  0,
  1.5,
  5000,
  1e10,
  NaN,
  true,
  false,
  [],
  [null],
  [1],
  {},
  { a: null },
  { a: [] },
  { '': '1' },
  Buffer.from([0xff]),
  () => 1,
];

/** Ends the event or the request: called one by one, not here. */
const ends = (row: FunctionRow) => /\.(exit|error)$/.test(row.name);

function argumentsOf(row: FunctionRow): readonly (readonly unknown[])[] {
  const good = matrix.get(row.name)?.args ?? [];
  const all = row.arguments.map((_, at) => good[at]);
  const bad = wrong.flatMap((value) => all.map((_, at) => all.with(at, value)));
  const lengths = row.name.endsWith('get_header') ? [['content-length'], ['Content_Length']] : [];
  return [good, [], ...lengths, ...bad, wrong];
}

async function callAll(kong: object, done: string[]): Promise<void> {
  for (const row of catalogue) {
    if (ends(row)) continue;
    for (const args of argumentsOf(row)) {
      await callByPath(kong, row.path, args).catch(() => undefined);
    }
    done.push(row.name);
  }
}

interface Situation {
  readonly what: string;
  readonly phases: readonly Phase[];
  readonly described: KongDescription;
  /** Whether access ends the request, so that no upstream answers. */
  readonly exits?: boolean;
}

const body = 'a=1&b=2';
const http: KongDescription = {
  request: {
    method: 'POST',
    path: '/x?a=1&b',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body,
  },
  response: {
    status: 201,
    headers: { 'content-type': 'application/json', 'content-length': '2' },
    body: '{}',
  },
};

/** Names that the walk asks for, with values that Kong cannot send. */
const unsendable = (): LeftByLua => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const left = {
    my_key: () => 1,
    x: cycle,
    'Content-Length': new Map([[2, 'two']]),
    '': () => 1,
    KONG_LOG: { notice: () => 1 },
    _mine: cycle,
  };
  return { shared: left, nginx: left };
};

const situations: readonly Situation[] = [
  {
    what: 'a request whose answer is buffered',
    phases: ['rewrite', 'access', 'response', 'log'],
    described: http,
  },
  { what: 'a request whose answer is not buffered', phases: ['rewrite', 'access', 'log'], described: http },
  { what: 'a request of which log is all', phases: ['log'], described: http },
  { what: 'a request that no upstream answered', phases: ['access', 'log'], described: http, exits: true },
  { what: 'one of them, buffered', phases: ['access', 'response', 'log'], described: http, exits: true },
  {
    what: 'a request whose credential is none that Kong can send',
    phases: ['log'],
    described: { ...http, credential: { id: 7, consumer_id: 8 } as never },
  },
  {
    what: 'a request on which Lua plugins have left what Kong cannot send',
    phases: ['log'],
    described: { ...http, leftByLua: unsendable() },
  },
  {
    what: 'a request whose consumer and credential Kong cannot send',
    phases: ['log'],
    described: { ...http, consumer: {}, credential: { id: 'x', of: () => 1 } },
  },
  { what: 'a body on disk', phases: ['access', 'log'], described: { ...http, bodyBufferBytes: 3 } },
  { what: 'a TCP connection', phases: ['preread', 'log'], described: { subsystem: 'stream' } },
  {
    what: 'a TCP connection whose route has addresses',
    phases: ['preread', 'log'],
    described: { subsystem: 'stream', route: { sources: [{ ip: '127.0.0.0/8' }] } },
  },
  { what: 'a TCP connection of which log is all', phases: ['log'], described: { subsystem: 'stream' } },
];

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function walk(protocol: Protocol, { phases, described, exits }: Situation) {
  const done: Record<string, string[]> = {};
  const handlers = Object.fromEntries(
    phases.map((phase) => [
      phase,
      async (kong: { response: { exit(status: number): Promise<never> } }) => {
        const names: string[] = (done[phase] = []);
        await callAll(kong, names);
        if (phase === 'access' && exits === true) await kong.response.exit(204);
      },
    ]),
  );
  const plugin = definePlugin({ name: 'walks', version: '1.0.0', protocol, ...handlers } as Parameters<
    typeof definePlugin
  >[0]);
  const t = await testPlugin(plugin);
  closers.push(() => t.close());
  return { result: await t.request(described).run(), done };
}

describe.each(['protobuf', 'msgpack'] as const)('over %s', (protocol) => {
  it.each(situations.map((each) => [each.what, each] as const))(
    'Kong raises nowhere: %s',
    async (_what, situation) => {
      const { result, done } = await walk(protocol, situation);
      const failed = result.phases.map(({ phase, failure, calls, error }) => ({
        phase,
        failure,
        error: error?.message ?? null,
        last: failure === null ? null : calls.at(-1),
      }));
      const ran = situation.phases.filter((phase) => phase !== 'response' || situation.exits !== true);
      expect(failed).toEqual(ran.map((phase) => ({ phase, failure: null, error: null, last: null })));
      const functions = catalogue.filter((row) => !ends(row)).map(({ name }) => name);
      for (const phase of ran) expect(done[phase], phase).toEqual(functions);
    },
  );

  it('an exit without a body has no length, in any status that has none', async () => {
    for (const status of [204, 304]) {
      const plugin = definePlugin({
        name: 'exits',
        version: '1.0.0',
        protocol,
        access: (kong) => kong.response.exit(status),
      });
      const t = await testPlugin(plugin);
      closers.push(() => t.close());
      const { response, exit } = await t.request().run();
      expect([exit?.status, response?.headers['content-length']]).toEqual([status, undefined]);
    }
  });
});

const logAlone = situations.filter(({ phases }) => phases.length === 1);

describe('of a plugin for kong-pdk, whose arguments travel as they are', () => {
  it.each(logAlone.map((each) => [each.what, each] as const))(
    'Kong raises nowhere in log: %s',
    async (_what, { described }) => {
      const done: string[] = [];
      class Plugin {
        async log(kong: object): Promise<void> {
          await callAll(kong, done);
          for (const path of ['kong.version', 'kong.table.new', 'kong.configuration.prefix', 'kong.none'])
            await callByPath(kong, path, []).catch(() => undefined);
        }
      }
      const t = await testPlugin(
        compileKongPdk({ Plugin, Name: 'walks', Version: '1.0.0', Schema: [] }, 'walks.js'),
      );
      closers.push(() => t.close());
      const { phases: ran } = await t.request(described).run();
      const log = ran.find(({ phase }) => phase === 'log');
      expect({ failure: log?.failure, last: log?.failure === null ? null : log?.calls.at(-1) }).toEqual({
        failure: null,
        last: null,
      });
      expect(done).toEqual(catalogue.filter((row) => !ends(row)).map(({ name }) => name));
    },
  );
});
