import { setTimeout as sleep } from 'node:timers/promises';
import type { Gateway, Provenance } from '../gateways/gateway.ts';
import { provenanceOf } from '../gateways/gateway.ts';
import type { Command, MixedProbe } from '../gateways/mixed-probe.ts';
import { mixedNames } from '../gateways/mixed-connection.ts';
import type { Wire } from '../gateways/probe-plugin.ts';
import { within } from '../gateways/quiet.ts';
import { exchange } from '../gateways/raw-exchange.ts';
import { Upstream } from '../gateways/upstream.ts';

export interface ConnectionRecording extends Partial<Provenance> {
  readonly kong: string;
  readonly protocol: string;
  readonly scenario: string;
  readonly what: string;
  readonly note: string;
  /** What came on the recorded connection, command by command. */
  readonly commands: readonly string[];
  readonly wire: readonly Wire[];
}

const request = 'GET /mixed HTTP/1.1\r\nHost: mixed.test\r\nConnection: close\r\n\r\n';
/** How many requests are under way while configurations change. */
const atOnce = 12;
const mostChanges = 200;
/** The same whatever changes: what is started anew is an instance of the same plugin. */
const pluginIds = ['3f1c6c6e-0000-4000-8000-000000000001', '3f1c6c6e-0000-4000-8000-000000000002'];

/** Two plugins of different protocols on one socket: what Kong sends on one connection, and while configurations change. */
export async function recordConnections(gateway: Gateway): Promise<ConnectionRecording[]> {
  const upstream = await new Upstream().listen(gateway.here.listen);
  const { mixed } = gateway.probes;
  try {
    const provenance = await provenanceOf(gateway);
    const configure = (value: string): Promise<void> =>
      gateway.configure(mixedConfig(gateway.here.name, upstream.port, value));
    const recorded = [
      await recordOneConnection(gateway, mixed, configure),
      await recordLostInstance(gateway, mixed, configure),
    ];
    return recorded.map((each) => ({ ...provenance, ...each }));
  } finally {
    mixed.delayMs = 0;
    await upstream.close();
  }
}

type Recorded = Omit<ConnectionRecording, keyof Provenance>;
type Configure = (value: string) => Promise<void>;

async function recordOneConnection(
  gateway: Gateway,
  mixed: MixedProbe,
  configure: Configure,
): Promise<Recorded> {
  await configure('x');
  mixed.forget();
  for (let at = 0; at < 3; at++) await exchange(gateway.proxy, request);
  const [first] = mixed.commands;
  if (first === undefined) throw new Error('no plugin was called');
  return {
    protocol: 'ProtoBuf:1 and MsgPack:1',
    scenario: 'mixed-one-connection',
    what: 'two plugins with a socket path in common, one of each protocol: on which connections their commands come',
    note: 'The first connection of three requests, one after the other. Each access event reads the method and sets a header; the setter leaves together with the end of the ProtoBuf:1 event.',
    ...ofConnection(mixed, first.connection),
  };
}

async function recordLostInstance(
  gateway: Gateway,
  mixed: MixedProbe,
  configure: Configure,
): Promise<Recorded> {
  const lost = (): Command | undefined =>
    mixed.commands.find(({ says }) => says.endsWith('without InstanceId'));
  const running = { over: false };
  // Longer than a change takes, and than Kong sleeps where another request starts the instance (0.1 s): one of those that wait
  // comes while the instance before is being closed.
  mixed.delayMs = 150;
  const load = Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (!running.over) await exchange(gateway.proxy, request);
    }),
  );
  let changes = 0;
  for (; changes < mostChanges && lost() === undefined; changes++) {
    if (mixed.wire.length > 20_000) mixed.forget();
    await configure(String(changes));
    // However quick a change is: so many of them take longer than many instances to start and to close.
    await sleep(20);
  }
  const found = lost();
  // What Kong does next on this connection belongs to it.
  if (found !== undefined) await within(2000, () => after(mixed, found).length > 3);
  running.over = true;
  await load;
  return {
    protocol: 'MsgPack:1',
    scenario: 'msgpack-no-instance-id',
    what: 'HandleEvent without InstanceId while configurations change under load, answered with "No plugin instance"',
    note:
      found === undefined
        ? `Not seen in ${String(changes)} changes with ${String(atOnce)} requests at once.`
        : `Seen after ${String(changes)} changes with ${String(atOnce)} requests at once. The connection on which it came.`,
    ...(found === undefined ? { commands: [], wire: [] } : ofConnection(mixed, found.connection)),
  };
}

function after({ commands }: MixedProbe, command: Command): Command[] {
  return commands
    .slice(commands.indexOf(command))
    .filter(({ connection }) => connection === command.connection);
}

function ofConnection(mixed: MixedProbe, number: number): Pick<Recorded, 'commands' | 'wire'> {
  return {
    commands: mixed.commands.filter(({ connection }) => connection === number).map(({ says }) => says),
    wire: mixed.wire.filter(([, connection]) => connection === number),
  };
}

function mixedConfig(here: string, upstream: number, value: string): object {
  return {
    services: [
      {
        name: 'mixed',
        url: `http://${here}:${String(upstream)}/`,
        routes: [
          {
            name: 'mixed',
            paths: ['/mixed'],
            plugins: mixedNames.map((name, at) => ({ id: pluginIds[at], name, config: { note: value } })),
          },
        ],
      },
    ],
  };
}
