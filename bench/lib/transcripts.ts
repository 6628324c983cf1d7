import { readdirSync, readFileSync } from 'node:fs';
import { FrameDecoder } from '../../src/wire/protobuf/framing.ts';

const folder = new URL('../../test/fixtures/kong/transcripts/', import.meta.url);

interface Transcript {
  wire: ([string, number] | [string, number, string])[];
}

/** What Kong 3.9.3 sent in the recorded sessions of one protocol, one buffer per connection. */
function sessions(protocol: string): Buffer[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${protocol}-`) && !name.includes('body-on-disk'))
    .flatMap((name) => {
      const { wire } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Transcript;
      const connections = new Map<number, Buffer[]>();
      for (const [direction, connection, hex] of wire) {
        if (direction !== '<' || hex === undefined) continue;
        connections.set(connection, [...(connections.get(connection) ?? []), Buffer.from(hex, 'hex')]);
      }
      return [...connections.values()].map((chunks) => Buffer.concat(chunks));
    });
}

/** The recorded MessagePack bytes, whole sessions. */
export const msgpackSessions = (): Buffer[] => sessions('msgpack');

/** The recorded frames of ProtoBuf sessions, without their lengths. */
export const protobufFrames = (): Buffer[] =>
  sessions('protobuf').flatMap((bytes) =>
    new FrameDecoder({}).push(bytes).map((frame) => Buffer.from(frame)),
  );
