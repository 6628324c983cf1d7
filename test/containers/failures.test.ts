import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedKongContainer } from '../../src/testing/containers/index.ts';
import { placements, plugin, startKong } from './support/kong.ts';
import { once, startLoad, tally, type Outcome } from './support/load.ts';
import { startRecorder, type Recorder } from './support/recorder.ts';

/** What clients see while things change or break. */
const protocols = ['protobuf', 'msgpack'] as const;

describe.each(placements)('under load, plugin server %s', (pluginServer) => {
  let kong: StartedKongContainer;
  let upstream: Recorder;

  const config = (value: string): object => ({
    _format_version: '3.0',
    services: protocols.flatMap((protocol) =>
      // Two configurations of each plugin: a stale instance id would show the other one's value.
      ['a', 'b'].map((side) => ({
        name: `${protocol}-${side}`,
        url: `http://host.docker.internal:${String(upstream.port)}`,
        routes: [{ name: `${protocol}-${side}`, paths: [`/${protocol}/${side}`] }],
        plugins: [{ name: `mark-${protocol}`, config: { value: `${side}-${value}` } }],
      })),
    ),
  });

  beforeAll(async () => {
    upstream = await startRecorder();
    kong = await startKong({
      pluginServer,
      plugins: protocols.map((protocol) => plugin(`mark-${protocol}`)),
      declarativeConfig: config('1'),
    });
  });

  afterAll(async () => {
    await kong?.stop();
    await upstream?.close();
  });

  const url = (protocol: string, side: string): string => `${kong.proxyUrl}/${protocol}/${side}`;

  /** What clients of both configurations saw while something was done, and for a moment after it. */
  async function during(protocol: string, act: () => Promise<void>): Promise<{ a: Outcome[]; b: Outcome[] }> {
    const [a, b] = ['a', 'b'].map((side) => startLoad(url(protocol, side), 'x-mark', 2));
    await wait(300);
    await act();
    await wait(500);
    return { a: (await a?.stop()) ?? [], b: (await b?.stop()) ?? [] };
  }

  const marks = (outcomes: readonly Outcome[]): Set<string | null> =>
    new Set(outcomes.map(({ mark }) => mark));

  async function serves(protocol: string, value: string): Promise<void> {
    for (const side of ['a', 'b'])
      await expect
        .poll(() => once(url(protocol, side), 'x-mark'), { timeout: 15_000 })
        .toEqual({ status: 200, mark: `${side}-${value} GET` });
  }

  describe.each(protocols)('%s', (protocol) => {
    test('kong reload: no request fails, the plugin runs for each', async () => {
      await kong.configure(config('1'));
      await serves(protocol, '1');
      const { a, b } = await during(protocol, () => kong.reload(config('1')));
      expect(Object.keys(tally([...a, ...b]))).toEqual(['200']);
      expect([marks(a), marks(b)]).toEqual([new Set(['a-1 GET']), new Set(['b-1 GET'])]);
    });

    test('a configuration change: no request fails, old value then new', async () => {
      const { a, b } = await during(protocol, async () => {
        await kong.configure(config('2'));
        await serves(protocol, '2');
      });
      expect(Object.keys(tally([...a, ...b]))).toEqual(['200']);
      expect([...marks(a)].every((mark) => mark === 'a-1 GET' || mark === 'a-2 GET')).toBe(true);
      expect([...marks(b)].every((mark) => mark === 'b-1 GET' || mark === 'b-2 GET')).toBe(true);
    });

    test('kill -9 of the server: what Kong does, and then all is well again', async () => {
      const { a, b } = await during(protocol, async () => {
        await kong.restartPluginServer('SIGKILL');
        await serves(protocol, '2');
      });
      // Measured on Kong 3.9.3: MsgPack:1 goes on without the plugin, ProtoBuf:1 answers 500 until the server is back.
      const allowed = protocol === 'msgpack' ? ['200'] : ['200', '500'];
      expect(allowed).toEqual(expect.arrayContaining(Object.keys(tally([...a, ...b]))));
      for (const [side, outcomes] of Object.entries({ a, b }))
        for (const mark of marks(outcomes)) expect([null, `${side}-2 GET`]).toContain(mark);
    });

    test('SIGTERM of the server: the same, and no event that was running fails', async () => {
      const { a, b } = await during(protocol, async () => {
        await kong.restartPluginServer('SIGTERM');
        await serves(protocol, '2');
      });
      const allowed = protocol === 'msgpack' ? ['200'] : ['200', '500'];
      expect(allowed).toEqual(expect.arrayContaining(Object.keys(tally([...a, ...b]))));
      for (const [side, outcomes] of Object.entries({ a, b }))
        for (const mark of marks(outcomes)) expect([null, `${side}-2 GET`]).toContain(mark);
    });
  });
});
