import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Protocol } from '../../src/pdk/index.ts';
import { mixedNames } from './mixed-connection.ts';
import { MixedProbe } from './mixed-probe.ts';
import { Probe } from './probe.ts';

/** `probe` has every phase, and its response phase makes Kong buffer; `plain` has all but that one. */
export type ProbeName = 'probe-pb' | 'probe-mp' | 'plain-pb' | 'plain-mp';
export type Probes = Readonly<Record<ProbeName, Probe>> & { readonly mixed: MixedProbe };

export const probeNames: readonly ProbeName[] = ['probe-pb', 'probe-mp', 'plain-pb', 'plain-mp'];

type PluginName = ProbeName | (typeof mixedNames)[number];
export const pluginNames: readonly PluginName[] = [...probeNames, ...mixedNames];

const socketOf = (name: PluginName): string => `${name.startsWith('mixed') ? 'mixed' : name}.sock`;

/** The probe for a protocol, with or without buffering. */
export const probeFor = (protocol: Protocol, buffered: boolean): ProbeName =>
  `${buffered ? 'probe' : 'plain'}-${protocol === 'protobuf' ? 'pb' : 'mp'}`;

const protocolOf = (name: PluginName): Protocol => (name.endsWith('pb') ? 'protobuf' : 'msgpack');

/** What `query_cmd` prints for a probe. */
export function dumpOf(name: PluginName): object {
  const config = [
    { n: { type: 'integer', default: 5 } },
    { note: { type: 'string', default: `${name.slice(-2)}note` } },
    { list: { type: 'array', elements: { type: 'string' } } },
  ];
  return {
    Protocol: protocolOf(name) === 'protobuf' ? 'ProtoBuf:1' : 'MsgPack:1',
    Plugins: [
      {
        Name: name,
        Version: '1.0.0',
        Priority: 500,
        Phases: phasesOf(name),
        Schema: { name, fields: [{ config: { type: 'record', fields: config } }] },
      },
    ],
  };
}

function phasesOf(name: PluginName): readonly string[] {
  if (name.startsWith('mixed')) return ['access'];
  const phases = ['certificate', 'rewrite', 'access', 'response', 'preread', 'log'];
  return name.startsWith('plain') ? phases.filter((phase) => phase !== 'response') : phases;
}

/** Sockets and dumps of all probes, in a folder that Kong can see. */
export async function startProbes(folder: string): Promise<Probes> {
  await chmod(folder, 0o755);
  await writeDumps(folder);
  const probes = await Promise.all(
    probeNames.map(async (name) => [
      name,
      await new Probe(name, protocolOf(name), path.join(folder, socketOf(name))).listen(),
    ]),
  );
  const mixed = await new MixedProbe(path.join(folder, socketOf(mixedNames[0]))).listen();
  return { ...(Object.fromEntries(probes) as Record<ProbeName, Probe>), mixed };
}

/** Writes what `query_cmd` of each probe prints. */
export async function writeDumps(folder: string): Promise<void> {
  for (const name of pluginNames) {
    const dump = path.join(folder, `${name}.json`);
    await writeFile(dump, JSON.stringify(dumpOf(name)));
    await chmod(dump, 0o644);
  }
}

/** What the sandbox is told of the probes. */
export const pluginServersIn = (folder: string): { name: string; socket: string; dump: object }[] =>
  pluginNames.map((name) => ({ name, socket: path.join(folder, socketOf(name)), dump: dumpOf(name) }));

/** Kong's settings for the probes, whose folder it sees as `folder`. */
export function probeEnvironment(folder: string): Record<string, string> {
  const servers = pluginNames.flatMap((name) => {
    const prefix = `KONG_PLUGINSERVER_${name.toUpperCase().replaceAll('-', '_')}`;
    return [
      [`${prefix}_SOCKET`, path.posix.join(folder, socketOf(name))],
      [`${prefix}_QUERY_CMD`, `cat ${path.posix.join(folder, `${name}.json`)}`],
    ];
  });
  return {
    KONG_PLUGINS: ['bundled', ...pluginNames].join(','),
    KONG_PLUGINSERVER_NAMES: pluginNames.join(','),
    ...(Object.fromEntries(servers) as Record<string, string>),
  };
}
