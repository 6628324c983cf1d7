import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maxTellingBytes, tellProtocol } from '../../../src/wire/detect.ts';
import { defaultMaxFrameBytes } from '../../../src/wire/limits.ts';
import { encode } from '../../../src/wire/msgpack/writer.ts';
import { encodeRequest } from '../../../src/wire/msgpack/kong-side.ts';
import { stepMethods } from '../../../src/wire/msgpack/messages.ts';
import { encodeRpcCall } from '../../../src/wire/protobuf/kong-side.ts';
import { transcripts } from '../../conformance/transcripts/transcript.ts';

/** What is told once it can be: from then on more bytes say nothing else. */
function decide(bytes: Buffer, maxFrameBytes = defaultMaxFrameBytes): string {
  const told = Array.from({ length: Math.min(bytes.length, 40) + 1 }, (_, length) =>
    tellProtocol(bytes.subarray(0, length), maxFrameBytes),
  ).filter((each) => each !== 'need-more');
  expect(new Set(told).size).toBeLessThanOrEqual(1);
  return told[0] ?? 'need-more';
}

test('the first bytes of every recorded connection', () => {
  for (const { protocol, wire } of transcripts) {
    const first = wire.find(([kind]) => kind === '<');
    expect(decide(Buffer.from(first?.[2] ?? '', 'hex'))).toBe(protocol);
  }
});

/** All that Kong can have counted up to, and where the size of an id changes. */
const ids = fc.oneof(
  fc.nat({ max: 300 }),
  fc.integer({ min: 0, max: 2 ** 32 + 10 }),
  fc.maxSafeNat(),
  // Ids whose lower bytes look like the key of an RpcCall's sequence or command, with anything around.
  fc
    .tuple(fc.constantFrom(0x08, 0xfa01, 0x8202, 0x8a02, 0x9202, 0x9a02, 0xa202), fc.nat({ max: 0xffff }))
    .chain(([key, low]) => fc.constantFrom(key * 256 + (low & 255), key * 65536 + low, key)),
);
const methods = fc.constantFrom(
  'plugin.HandleEvent',
  'plugin.StartInstance',
  'plugin.CloseInstance',
  ...stepMethods,
);
const limits = fc.constantFrom(1024, 100_000, defaultMaxFrameBytes, 2 ** 31 - 1);

test('every command of MsgPack:1 is told, whatever its id and the limit of a frame', () => {
  fc.assert(
    fc.property(ids, methods, limits, fc.object(), (id, method, limit, argument) => {
      expect(decide(encodeRequest(id, method, [argument]), limit)).toBe('msgpack');
    }),
    { numRuns: 2000 },
  );
});

/** The length of a frame that begins like an array: any that the limit admits, above all those that look like an id. */
const arrayLengths = fc
  .tuple(
    fc.constantFrom(0x90, 0x92, 0x93, 0x94, 0x9f, 0xdc, 0xdd),
    fc.constantFrom(0, 0, 0, 1, 2, 255),
    fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0xcc, 0xcd, 0xce, 0xcf, 0xd3)),
    fc.nat({ max: 3 }),
  )
  .map(([a, b, c, d]) => a + b * 256 + c * 65536 + d * 2 ** 24)
  .filter((length) => length >= 100 && length <= defaultMaxFrameBytes);

/** The beginning of an RpcCall that is `length` bytes long: the configuration that fills it up is not made. */
function beginning(length: number, sequence: number, name: string, sequenceFirst: boolean): Buffer {
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
  const first = [0x08, ...varint(sequence)];
  let size = length - first.length - 3;
  while (first.length + 2 + varint(size).length + size > length) size--;
  const rest = length - first.length - 2 - size;
  // The length of a varint may be one longer than it has to be.
  const padded = varint(size);
  while (padded.length < rest) padded.splice(-1, 1, (padded.at(-1) as number) | 128, 0);
  const command = [0x8a, 0x02, ...padded, 0x0a, name.length, ...Buffer.from(name)];
  const head = Buffer.alloc(4);
  head.writeUInt32LE(length);
  return Buffer.concat([head, Buffer.from(sequenceFirst ? [...first, ...command] : command)]);
}

test('every command of ProtoBuf:1 is told where its length begins like an array', () => {
  fc.assert(
    fc.property(
      arrayLengths,
      fc.nat({ max: 2 ** 31 - 1 }),
      fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 }),
      fc.boolean(),
      (length, sequence, name, first) => {
        expect(decide(beginning(length, sequence, name, first))).toBe('protobuf');
      },
    ),
    { numRuns: 2000 },
  );
});

test('real calls of every length below 70,000 are told', () => {
  for (let bytes = 0; bytes < 70_000; bytes += bytes < 600 ? 1 : 97) {
    const body = encodeRpcCall({
      sequence: bytes,
      command: { type: 'startInstance', name: 'p', config: Buffer.alloc(bytes) },
    });
    const head = Buffer.alloc(4);
    head.writeUInt32LE(body.length);
    expect(decide(Buffer.concat([head, body.subarray(0, 40)]))).toBe('protobuf');
  }
});

test('it never takes more bytes than it says', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: maxTellingBytes, maxLength: 40 }), (bytes) => {
      for (const head of [0x92, 0x94, 0xdc]) {
        expect(decide(Buffer.concat([Buffer.from([head]), bytes]))).not.toBe('need-more');
      }
    }),
  );
});

test('a message of another shape is told, too', () => {
  for (const wrong of [
    [0, 5, 7, []],
    [0, 5, 'x'],
    [0, 300, 'bogus', []],
    [1, 5, null, null],
  ]) {
    expect(decide(encode(wrong))).toBe('msgpack');
  }
});
