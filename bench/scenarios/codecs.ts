import { fileURLToPath } from 'node:url';
import * as official from '@msgpack/msgpack';
import lite from 'msgpack-lite';
import protobuf from 'protobufjs';
import type { Comparison, Context } from '../lib/context.ts';
import { ratios, summarize } from '../lib/statistics.ts';
import { msgpackSessions, protobufFrames } from '../lib/transcripts.ts';
import { decode, MessageDecoder } from '../../src/wire/msgpack/framing.ts';
import { encode } from '../../src/wire/msgpack/writer.ts';
import { decodeRpcCall } from '../../src/wire/protobuf/server-side.ts';
import { decodeResult, encodeArguments } from '../../src/wire/protobuf/server-side.ts';

/** Times per second that `run` can be done, over about a fifth of a second. */
function speed(run: () => void): number {
  const began = performance.now();
  let times = 0;
  while (performance.now() - began < 200) {
    run();
    times += 1;
  }
  return (times * 1000) / (performance.now() - began);
}

async function compare(
  context: Context,
  name: string,
  other: string,
  ours: () => void,
  theirs: () => void,
): Promise<Comparison> {
  speed(ours);
  speed(theirs);
  const pairs = await context.alternate(
    () => Promise.resolve(speed(ours)),
    () => Promise.resolve(speed(theirs)),
  );
  return {
    name: `${name}, against ${other}`,
    unit: 'passes/s',
    ours: summarize(pairs.ours),
    peer: summarize(pairs.peer),
    ratio: ratios(pairs.ours, pairs.peer),
    target: null,
    extra: { 'second column': other },
  };
}

/** Our codecs against the libraries, on what a real Kong 3.9.3 sent. */
export async function codecs(context: Context): Promise<Comparison[]> {
  const values = msgpackSessions().flatMap((bytes) => new MessageDecoder({}).push(bytes));
  const messages = values.map((value) => encode(value));
  const decoder = new official.Decoder();
  const encoder = new official.Encoder();
  const decodeOurs = (): void => messages.forEach((bytes) => decode(bytes));
  const decodeOfficial = (): void => messages.forEach((bytes) => decoder.decode(bytes));
  const decodeLite = (): void => messages.forEach((bytes) => void lite.decode(bytes));
  const encodeOurs = (): void => values.forEach((value) => encode(value));
  const encodeOfficial = (): void => values.forEach((value) => encoder.encode(value));
  const encodeLite = (): void => values.forEach((value) => lite.encode(value));

  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    target.startsWith('google/') ? fileURLToPath(import.meta.resolve(`protobufjs/${target}`)) : target;
  await root.load(fileURLToPath(new URL('../../proto/pluginsocket.proto', import.meta.url)));
  const type = (name: string): protobuf.Type => root.lookupType(`kong_plugin_protocol.${name}`);
  const text = type('String');
  const call = type('RpcCall');
  const header = text.encode({ v: 'application/json; charset=utf-8' }).finish();
  const headerBytes = Buffer.from(header);
  const calls = protobufFrames().filter(
    (frame) => frame.length > 8 && frame[0] === 0xa2 && frame[1] === 0x02,
  );

  return [
    await compare(
      context,
      'MessagePack decode of the recordings',
      '@msgpack/msgpack',
      decodeOurs,
      decodeOfficial,
    ),
    await compare(context, 'MessagePack decode of the recordings', 'msgpack-lite', decodeOurs, decodeLite),
    await compare(
      context,
      'MessagePack encode of the recordings',
      '@msgpack/msgpack',
      encodeOurs,
      encodeOfficial,
    ),
    await compare(context, 'MessagePack encode of the recordings', 'msgpack-lite', encodeOurs, encodeLite),
    await compare(
      context,
      `decode of ${String(calls.length)} recorded HandleEvent calls`,
      'protobufjs',
      () => calls.forEach((frame) => decodeRpcCall(frame)),
      () => calls.forEach((frame) => call.decode(frame)),
    ),
    await compare(
      context,
      'decode of a String',
      'protobufjs',
      () => void decodeResult('String', headerBytes),
      () => void text.decode(headerBytes),
    ),
    await compare(
      context,
      'encode of a String',
      'protobufjs',
      () => void encodeArguments('String', ['content-type']),
      () => void text.encode({ v: 'content-type' }).finish(),
    ),
  ];
}
