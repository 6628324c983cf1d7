import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Protocol } from '../../src/pdk/index.ts';
import { Probe } from './probe.ts';

/** `probe` has every phase, and its response phase makes Kong buffer; `plain` has all but that one. */
export type ProbeName = 'probe-pb' | 'probe-mp' | 'plain-pb' | 'plain-mp';
export type Probes = Readonly<Record<ProbeName, Probe>>;

export const probeNames: readonly ProbeName[] = ['probe-pb', 'probe-mp', 'plain-pb', 'plain-mp'];

/** The probe for a protocol, with or without buffering. */
export const probeFor = (protocol: Protocol, buffered: boolean): ProbeName =>
  `${buffered ? 'probe' : 'plain'}-${protocol === 'protobuf' ? 'pb' : 'mp'}`;

const protocolOf = (name: ProbeName): Protocol => (name.endsWith('pb') ? 'protobuf' : 'msgpack');

/** What `query_cmd` prints for a probe. */
export function dumpOf(name: ProbeName): object {
  const phases = ['certificate', 'rewrite', 'access', 'response', 'preread', 'log'];
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
        Phases: name.startsWith('plain') ? phases.filter((phase) => phase !== 'response') : phases,
        Schema: { name, fields: [{ config: { type: 'record', fields: config } }] },
      },
    ],
  };
}

/** Sockets and dumps of all probes, in a folder that Kong can see. */
export async function startProbes(folder: string): Promise<Probes> {
  await chmod(folder, 0o755);
  const probes = await Promise.all(
    probeNames.map(async (name) => {
      const dump = path.join(folder, `${name}.json`);
      await writeFile(dump, JSON.stringify(dumpOf(name)));
      await chmod(dump, 0o644);
      return [name, await new Probe(name, protocolOf(name), path.join(folder, `${name}.sock`)).listen()];
    }),
  );
  return Object.fromEntries(probes) as Probes;
}

/** Kong's settings for the probes, whose folder it sees as `folder`. */
export function probeEnvironment(folder: string): Record<string, string> {
  const servers = probeNames.flatMap((name) => {
    const prefix = `KONG_PLUGINSERVER_${name.toUpperCase().replaceAll('-', '_')}`;
    return [
      [`${prefix}_SOCKET`, path.posix.join(folder, `${name}.sock`)],
      [`${prefix}_QUERY_CMD`, `cat ${path.posix.join(folder, `${name}.json`)}`],
    ];
  });
  return {
    KONG_PLUGINS: ['bundled', ...probeNames].join(','),
    KONG_PLUGINSERVER_NAMES: probeNames.join(','),
    ...(Object.fromEntries(servers) as Record<string, string>),
  };
}
