import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedKongContainer } from '../../src/testing/containers/index.ts';
import { placements, plugin, startKong } from './support/kong.ts';
import type { Outcome } from './support/load.ts';
import { once, startLoad, tally } from './support/load.ts';
import type { Recorder } from './support/recorder.ts';
import { startRecorder } from './support/recorder.ts';

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

  interface Seen {
    protocol: (typeof protocols)[number];
    side: string;
    outcomes: Outcome[];
  }

  const all = protocols.flatMap((protocol) => ['a', 'b'].map((side) => ({ protocol, side })));

  /** What clients of every plugin and configuration saw while something was done, and for a moment after it. */
  async function during(act: () => Promise<void>): Promise<Seen[]> {
    const loads = all.map(({ protocol, side }) => startLoad(url(protocol, side), 'x-mark', 1));
    await wait(300);
    await act();
    await wait(500);
    const outcomes = await Promise.all(loads.map((load) => load.stop()));
    return all.map((each, index) => ({ ...each, outcomes: outcomes[index] ?? [] }));
  }

  const statuses = ({ outcomes }: Seen): string[] => Object.keys(tally(outcomes));
  const marks = ({ outcomes }: Seen): (string | null)[] => [...new Set(outcomes.map(({ mark }) => mark))];
  /** For a failure's message. */
  const told = ({ protocol, outcomes }: Seen): string =>
    `${protocol}: ${JSON.stringify(tally(outcomes))}\n${kong.logs().split('\n').slice(-60).join('\n')}`;
  const skipped = ({ outcomes }: Seen): number => outcomes.filter(({ mark }) => mark === null).length;

  async function serves(value: string): Promise<void> {
    for (const { protocol, side } of all)
      await expect
        .poll(() => once(url(protocol, side), 'x-mark'), { timeout: 30_000 })
        .toEqual({ status: 200, mark: `${side}-${value} GET` });
  }

  /** How many plugin servers run in Kong's container: after a reload the old one stays for seconds. */
  const serversInside = async (): Promise<number> => {
    const found = await kong.exec(['sh', '-c', 'grep -lzx serve /proc/[0-9]*/cmdline 2> /dev/null; true']);
    return found.split('\n').filter((line) => line.startsWith('/proc/')).length;
  };

  test('kong reload: no request fails, the plugin runs', async () => {
    await serves('1');
    const reload = async (): Promise<void> => {
      await kong.reload(config('1'));
      // Its end belongs to the reload, and to no later test.
      if (pluginServer === 'inside') await expect.poll(serversInside, { timeout: 30_000 }).toBe(1);
    };
    for (const seen of await during(reload)) {
      expect(statuses(seen), told(seen)).toEqual(['200']);
      for (const mark of marks(seen)) expect([null, `${seen.side}-1 GET`]).toContain(mark);
      // Over MsgPack:1 Kong goes on without the plugin when a connection ends just as it is used.
      expect(skipped(seen)).toBeLessThanOrEqual(seen.protocol === 'msgpack' ? 3 : 0);
    }
  });

  test('a configuration change: no request fails, the old value and then the new one', async () => {
    const change = async (): Promise<void> => {
      await kong.configure(config('2'));
      await serves('2');
    };
    for (const seen of await during(change)) {
      expect(statuses(seen), told(seen)).toEqual(['200']);
      for (const mark of marks(seen)) expect([`${seen.side}-1 GET`, `${seen.side}-2 GET`]).toContain(mark);
    }
  });

  test('a configuration right after a reload is the one that stays', async () => {
    await kong.reload(config('1'));
    await kong.configure(config('2'));
    await serves('2');
    // What a reload had read before would come back within this time.
    await wait(2000);
    await serves('2');
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    '%s of the server: what Kong does, and then all is well again',
    async (signal) => {
      const restart = async (): Promise<void> => {
        await kong.restartPluginServer(signal);
        await serves('2');
      };
      for (const seen of await during(restart)) {
        // ProtoBuf:1 answers 500 until the server is back. MsgPack:1 goes on without the plugin where the connection has
        // broken (measured on Kong 3.9.3); a server that is told to end answers, so that Kong starts the instance anew, and
        // where nobody listens that is a 500 as well (read in Kong 3.9.3).
        const goesOn = seen.protocol === 'msgpack' && signal === 'SIGKILL';
        const allowed = goesOn ? ['200'] : ['200', '500'];
        for (const status of statuses(seen)) expect(allowed).toContain(status);
        // Nobody ever gets another configuration's value: ids of the old process are not taken for new ones.
        for (const mark of marks(seen)) expect([null, `${seen.side}-2 GET`]).toContain(mark);
      }
    },
  );
});
