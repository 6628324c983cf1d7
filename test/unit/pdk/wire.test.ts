import { describe, expect, it } from 'vitest';
import { catalogue, createKong, rowByName } from '../../../src/pdk/index.ts';
import { decodeText } from '../../../src/base/text.ts';
import { decodeArguments, encodeResult } from '../../../src/wire/protobuf/kong-side.ts';
import { decodeResult, encodeArguments } from '../../../src/wire/protobuf/server-side.ts';
import { MessageDecoder } from '../../../src/wire/msgpack/framing.ts';
import { encode } from '../../../src/wire/msgpack/writer.ts';
import { callByPath, FakeChannel } from './fake-channel.ts';
import type { Sent } from './fake-channel.ts';
import { matrix, recordedReply } from './matrix.ts';

/** What is sent for each function of the matrix, called with the matrix's arguments. */
async function sentFor(protocol: 'protobuf' | 'msgpack'): Promise<Sent[]> {
  const sent: Sent[] = [];
  for (const row of catalogue) {
    const phase = row.offered[protocol][0];
    if (phase === undefined) continue;
    const channel = new FakeChannel(protocol, phase, recordedReply);
    await callByPath(createKong(channel), row.path, matrix.get(row.name)?.args ?? []).catch(() => undefined);
    sent.push(...channel.sent);
  }
  return sent;
}

/** Zero values are left out on the wire, and arrays that a message does not carry come back shorter. */
const withoutTail = (args: readonly unknown[]) => {
  const copy = args.map((value) =>
    typeof value === 'string' || !ArrayBuffer.isView(value) ? value : String(value as Buffer),
  );
  while (copy.length > 0 && (copy.at(-1) === null || copy.at(-1) === undefined)) copy.pop();
  return copy;
};

describe('what the PDK sends fits the codecs', () => {
  it('ProtoBuf:1: every argument arrives as it was sent', async () => {
    const sent = await sentFor('protobuf');
    expect(new Set(sent.map(({ name }) => name)).size).toBeGreaterThan(70);
    for (const { name, args } of sent) {
      const type = rowByName(name)?.protobuf?.arguments;
      if (type === undefined) throw new Error(`${name} is not in the service`);
      const arrived = decodeArguments(type, encodeArguments(type, args));
      const expected = withoutTail(args);
      const entities = type === 'AuthenticateArgs';
      if (entities) expect(arrived, name).toMatchObject([{ id: expect.any(String) as string }, { id: 'x' }]);
      else expect(withoutTail(arrived), name).toEqual(expected);
    }
  });

  it('MsgPack:1: every argument can be written and read', async () => {
    for (const { name, args } of await sentFor('msgpack')) {
      const [arrived] = new MessageDecoder({ maxMessageBytes: 1 << 20 }).push(encode(args));
      expect(arrived, name).toHaveLength(args.length);
    }
  });

  it('a header with any bytes is read and set again byte by byte', async () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x41, 0xc3, 0xa9, 0x80]);
    const answer = decodeResult('String', encodeResult('String', decodeText(bytes)));
    const channel = new FakeChannel('protobuf', 'access', () => answer);
    const kong = createKong(channel);
    const value = (await kong.request.getHeader('x-bin')) as string;
    await kong.service.request.setHeader('x-bin', value);
    const written = encodeArguments('KV', channel.sent.at(-1)?.args ?? []);
    expect(written.includes(bytes)).toBe(true);
  });
});
