import { createHash } from 'node:crypto';
import type { Protocol } from '../pdk/names/index.ts';
import type { CompiledPlugin, KongSchema } from './types.ts';

/** The output of a plugin server's query_cmd, as Kong 3.9 reads it. */
export interface DumpDocument {
  Protocol: 'ProtoBuf:1' | 'MsgPack:1';
  Plugins: {
    Name: string;
    Version: string;
    Priority: number;
    Phases: string[];
    Schema: KongSchema;
  }[];
}

const protocolNames: Record<Protocol, DumpDocument['Protocol']> = {
  protobuf: 'ProtoBuf:1',
  msgpack: 'MsgPack:1',
};

/**
 * The document about these plugins. It has one protocol for all of them, the first one's: measured on Kong 3.9.3,
 * only the first plugin of a document is read.
 */
export function dumpDocument(plugins: readonly CompiledPlugin[]): DumpDocument {
  return {
    Protocol: protocolNames[plugins[0]?.protocol ?? 'protobuf'],
    Plugins: plugins.map((plugin) => ({
      Name: plugin.name,
      Version: plugin.version,
      Priority: plugin.priority,
      Phases: [...plugin.phases],
      Schema: plugin.schema,
    })),
  };
}

/**
 * A fingerprint of what Kong knows of a plugin. Equal dumps have equal fingerprints.
 * @param document with this one plugin
 * @returns SHA-256 in hex
 */
export function fingerprintOf({
  Protocol,
  Plugins,
}: Pick<DumpDocument, 'Plugins'> & { Protocol: string }): string {
  return createHash('sha256')
    .update(JSON.stringify([Protocol, Plugins]))
    .digest('hex');
}
