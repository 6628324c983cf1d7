import { Buffer } from 'node:buffer';
import { createRequire } from 'node:module';
import { encode as encodeOther, decode as decodeOther } from '@msgpack/msgpack';
import fc from 'fast-check';
import type * as MsgpackLite from 'msgpack-lite';
import { describe, expect, test } from 'vitest';
import { KongTsError } from '../../../src/base/errors.ts';
import { MessageDecoder, decode } from '../../../src/wire/msgpack/framing.ts';
import { encode } from '../../../src/wire/msgpack/writer.ts';
import { readCommand } from '../../../src/wire/msgpack/server-side.ts';
import { readMessage } from '../../../src/wire/msgpack/messages.ts';
import { FrameDecoder, encodeFrame } from '../../../src/wire/protobuf/framing.ts';
import { decodeRpcCall } from '../../../src/wire/protobuf/server-side.ts';
import { decodeRpcReturn } from '../../../src/wire/protobuf/kong-side.ts';
import { decodeArguments } from '../../../src/wire/protobuf/kong-side.ts';
import { decodeResult, encodeArguments } from '../../../src/wire/protobuf/server-side.ts';
import { transcripts } from '../../conformance/transcripts/transcript.ts';

// The bundle: the package's own entry does not load under the test runner's import conditions.
const lite = createRequire(import.meta.url)('msgpack-lite/dist/msgpack.min.js') as typeof MsgpackLite;

interface Decoder {
  push(chunk: Buffer): unknown[];
  end(): void;
}
const decoders = { protobuf: () => new FrameDecoder(), msgpack: () => new MessageDecoder() };

function feed(decoder: Decoder, bytes: Buffer, cuts: readonly number[]): unknown[] {
  const values: unknown[] = [];
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    // A copy: what was decoded must not depend on the chunk.
    values.push(...decoder.push(Buffer.from(bytes.subarray(from, cut))));
    from = cut;
  }
  decoder.end();
  return values;
}

/** Everything that went one way on one connection. */
const streams = transcripts.flatMap(({ name, protocol, wire }) => {
  const ways = new Map<string, Buffer[]>();
  for (const [kind, connection, hex] of wire) {
    if (kind !== '<' && kind !== '>') continue;
    const way = `${name} ${kind} ${connection}`;
    ways.set(way, [...(ways.get(way) ?? []), Buffer.from(hex, 'hex')]);
  }
  return [...ways].map(([way, parts]) => ({ way, protocol, bytes: Buffer.concat(parts) }));
});

describe.each(['protobuf', 'msgpack'] as const)('the recorded streams of %s', (protocol) => {
  const own = streams.filter((stream) => stream.protocol === protocol);

  test('give the same messages whole, byte by byte and cut anywhere', () => {
    for (const { bytes } of own) {
      const whole = feed(decoders[protocol](), bytes, []);
      const everywhere = Array.from({ length: bytes.length }, (_, at) => at);
      expect(feed(decoders[protocol](), bytes, everywhere)).toEqual(whole);
      fc.assert(
        fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 8 }), (cuts) => {
          expect(
            feed(
              decoders[protocol](),
              bytes,
              cuts.sort((a, b) => a - b),
            ),
          ).toEqual(whole);
        }),
        { numRuns: 5 },
      );
    }
  });

  test('truncated anywhere inside a message is an error of its own', () => {
    for (const { bytes } of own.slice(0, 6)) {
      expect(() => feed(decoders[protocol](), bytes.subarray(0, bytes.length - 1), [])).toThrow(
        expect.objectContaining({ code: 'FRAME_TRUNCATED' }),
      );
    }
  });
});

describe('limits are checked before anything is allocated', () => {
  test('a frame', () => {
    const decoder = new FrameDecoder({ maxFrameBytes: 1000 });
    expect(decoder.push(encodeFrame(Buffer.alloc(1000)))).toHaveLength(1);
    const head = Buffer.alloc(4);
    head.writeUInt32LE(0xffffffff);
    expect(() => decoder.push(head)).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }));
  });

  test.each([
    ['an array of 4 billion', 'ddffffffff'],
    ['a map of 4 billion', 'dfffffffff'],
    ['text of 4 GB', 'dbffffffff'],
    ['bytes of 4 GB', 'c6ffffffff'],
    ['arrays in arrays', `${'dc0200'.repeat(3)}`],
  ])('%s', (_what, hex) => {
    const decoder = new MessageDecoder({ maxMessageBytes: 1000 });
    expect(() => decoder.push(Buffer.from(hex, 'hex'))).toThrow(
      expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
    );
  });

  test('a message of exactly the limit passes, split too', () => {
    const bytes = encode(Buffer.alloc(997));
    expect(feed(new MessageDecoder({ maxMessageBytes: 1000 }), bytes, [1, 2, 500])).toHaveLength(1);
    expect(() => feed(new MessageDecoder({ maxMessageBytes: 999 }), bytes, [])).toThrow(KongTsError);
  });

  test('nesting', () => {
    expect(() => decode(Buffer.concat([Buffer.alloc(5000, 0x91), Buffer.from([0])]))).toThrow(
      expect.objectContaining({ code: 'FRAME_MALFORMED' }),
    );
    let bytes: Buffer = Buffer.alloc(0);
    for (let depth = 0; depth < 2000; depth++) {
      const length = bytes.length;
      const size = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
      bytes = Buffer.concat([Buffer.from([depth % 2 === 0 ? 0x0a : 0x32, ...size]), bytes]);
      if (bytes.length > 16000) break;
    }
    expect(() => decodeResult('google.protobuf.Value', bytes)).toThrow(
      expect.objectContaining({ code: 'FRAME_MALFORMED' }),
    );
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => encode(loop)).toThrow(expect.objectContaining({ code: 'PDK_INVALID_ARGUMENT' }));
  });
});

test('random bytes never throw anything but KongTsError', () => {
  const types = [
    'google.protobuf.ListValue',
    'google.protobuf.Struct',
    'google.protobuf.Value',
    'KV',
    'ExitArgs',
    'AuthenticateArgs',
    'String',
    'Int',
    'Bool',
  ] as const;
  const results = [
    'String',
    'Int',
    'Number',
    'Bool',
    'ByteString',
    'RawBodyResult',
    'UriCapturesResult',
    'Route',
    'Service',
    'MemoryStats',
    'google.protobuf.Struct',
    'google.protobuf.Value',
  ] as const;
  const attempts: ((bytes: Buffer) => unknown)[] = [
    decodeRpcCall,
    decodeRpcReturn,
    decode,
    (bytes) => readCommand(readMessage(decode(bytes)) as never),
    ...types.map((type) => (bytes: Buffer) => decodeArguments(type, bytes)),
    ...results.map((type) => (bytes: Buffer) => decodeResult(type, bytes)),
    (bytes) => new FrameDecoder({ maxFrameBytes: 100 }).push(bytes),
    (bytes) => new MessageDecoder({ maxMessageBytes: 100 }).push(bytes),
  ];
  // Bytes that look like keys, lengths and heads come up more often than chance would have it.
  const byte = fc.oneof(
    fc.nat({ max: 255 }),
    fc.constantFrom(0x0a, 0x12, 0x08, 0x1a, 0x32, 0x2a, 0x94, 0x82, 0x00, 0x02, 0xa1),
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 60 }), (array) => {
      for (const attempt of attempts) {
        try {
          attempt(Buffer.from(array));
        } catch (error) {
          if (!KongTsError.is(error) && !(error instanceof TypeError && attempt === attempts[3])) throw error;
        }
      }
    }),
    { numRuns: 1500 },
  );
});

test('names from the network never reach a prototype', () => {
  const poisoned = decode(
    Buffer.concat([Buffer.from([0x81]), encode('__proto__'), encode({ polluted: true })]),
  );
  expect(Object.getPrototypeOf(poisoned)).toBe(Object.prototype);
  expect(Object.keys(poisoned as object)).toEqual(['__proto__']);
  const own = JSON.parse('{"__proto__": {"polluted": true}}') as Record<string, unknown>;
  const [struct] = decodeArguments(
    'google.protobuf.Struct',
    encodeArguments('google.protobuf.Struct', [own]),
  );
  expect(Object.keys(struct as object)).toEqual(['__proto__']);
  expect(Object.getPrototypeOf(struct)).toBe(Object.prototype);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

/** What MessagePack carries and hands back unchanged. Some libraries write -0 as the integer 0. */
const packable = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true }).map((number) => (number === 0 ? 0 : number)),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__'),
      tie('value'),
      { maxKeys: 20 },
    ),
  ),
})).value;
const hasBytes = (value: unknown): boolean =>
  value instanceof Uint8Array ||
  (typeof value === 'object' && value !== null && Object.values(value).some(hasBytes));
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
};

test('two other libraries read what we write, and we what they write', () => {
  fc.assert(
    fc.property(packable, (value) => {
      const ours = encode(value);
      expect(decode(ours)).toEqual(value);
      expect(plain(decodeOther(ours))).toEqual(value);
      expect(decode(Buffer.from(encodeOther(value)))).toEqual(value);
      // The bundle writes a Buffer as an extension type of its own.
      if (!hasBytes(value)) expect(decode(Buffer.from(lite.encode(value)))).toEqual(value);
    }),
    { numRuns: 300 },
  );
});

test('integers of every width, beyond 2^53 as bigint', () => {
  for (const bits of [7, 8, 15, 16, 31, 32, 33, 52]) {
    for (const value of [2 ** bits - 1, 2 ** bits, -(2 ** bits), -(2 ** bits) - 1])
      expect(decode(encode(value))).toBe(value);
  }
  for (const value of [2n ** 63n - 1n, 2n ** 64n - 1n, -(2n ** 63n)])
    expect(decode(encode(value))).toBe(value);
  expect(Object.is(decode(encode(-0)), -0)).toBe(true);
});

test('a value whose toJSON encodes another one', () => {
  const inner = { toJSON: () => ({ length: encode(['inner', 'value']).length }) };
  expect(decode(encode({ before: 'b', inner, after: 'a' }))).toEqual({
    before: 'b',
    inner: { length: encode(['inner', 'value']).length },
    after: 'a',
  });
});

test('a value that cannot be written leaves nothing behind for the next', () => {
  expect(() => encode(['left over', () => undefined])).toThrow(KongTsError);
  expect(decode(encode('next'))).toBe('next');
});

test('frames back to back, empty ones among them', () => {
  const bodies = [Buffer.alloc(0), Buffer.from('a'), Buffer.alloc(0), Buffer.alloc(0)];
  expect(new FrameDecoder().push(Buffer.concat(bodies.map(encodeFrame)))).toEqual(bodies);
});
