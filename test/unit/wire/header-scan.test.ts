import { Encoder } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerLookups } from '../../../src/pdk/header-lookups.ts';
import { decodeValue, scanHeaderStep } from '../../../src/wire/msgpack/index.ts';
import { decodeResult, scanHeaderStruct, Writer } from '../../../src/wire/protobuf/index.ts';
import { writeStruct } from '../../../src/wire/protobuf/struct.ts';

const name = fc.oneof(
  fc.constantFrom(
    'accept',
    'cookie',
    'x-forwarded-for',
    'x-a',
    'x_a',
    'X-A',
    'x-a-b',
    'x_a-b',
    '__proto__',
    '',
  ),
  fc.stringMatching(/^[a-z_-]{1,40}$/),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const line = fc.oneof(
  fc.constantFrom('', 'a', 'a, b', 'a; b', 'ä', '\u{1F600}', 'x'.repeat(31), 'x'.repeat(32), 'x'.repeat(300)),
  fc.string({ maxLength: 300 }),
);
const lines = fc.oneof(line, fc.array(line, { minLength: 1, maxLength: 20 }));
const unusual = fc.oneof(lines, fc.constantFrom(1, true, null, [], {}, [1], [[]], { a: 'b' }, [null, 'a']));
const headers = (values: fc.Arbitrary<unknown>) =>
  fc.oneof(
    fc.dictionary(name, values, { maxKeys: 20 }),
    // Around the number of lines above which an answer says nothing.
    fc
      .integer({ min: 97, max: 102 })
      .map((count) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${String(n)}`, ['v']]))),
  );
const asked = fc.array(fc.oneof(name, fc.constantFrom('X-A', 'Cookie', 'x-5', 'X_5')), { maxLength: 8 });

const encoder = new Encoder();
const step = (Data: unknown, dataFirst: boolean, method = 'plugin.StepMultiMap'): Buffer => {
  const argument = dataFirst ? { Data, EventId: 70_000 } : { EventId: 70_000, Data };
  return Buffer.from(encoder.encode([0, 7, method, [argument]]));
};
const struct = (value: object): Buffer => {
  const writer = new Writer();
  writeStruct(writer, value as Record<string, unknown>);
  return writer.copy();
};

/** What both rules say of each name. */
const found = (answer: unknown, names: readonly string[]): unknown[] =>
  Object.values(headerLookups).map((rule) => names.map((each) => rule(answer)(each)));

type Decoded = [0, number, string, [{ EventId: number; Data: unknown }]];
const dataOf = (bytes: Buffer): unknown => (decodeValue(bytes) as Decoded)[3][0].Data;

const always = (): boolean => true;

describe('a table of headers of which single ones are wanted', () => {
  it('says over MsgPack:1 what the whole table says', () => {
    fc.assert(
      fc.property(headers(lines), asked, fc.boolean(), (table, names, dataFirst) => {
        const bytes = step(table, dataFirst);
        const scanned = scanHeaderStep(bytes, always);
        expect(scanned).toMatchObject({ id: 7, eventId: 70_000 });
        expect(found(scanned?.table, names)).toEqual(found(dataOf(bytes), names));
      }),
    );
  });

  it('says over ProtoBuf:1 what the whole table says', () => {
    fc.assert(
      fc.property(headers(lines), asked, (table, names) => {
        const bytes = struct(table);
        const scanned = scanHeaderStruct(bytes);
        expect(scanned).not.toBeNull();
        expect(found(scanned, names)).toEqual(found(decodeResult('google.protobuf.Struct', bytes), names));
      }),
    );
  });

  it('is left to the decoder, or says the same, whatever is in it', () => {
    fc.assert(
      fc.property(headers(unusual), asked, (table, names) => {
        const packed = step(table, false);
        const scanned = scanHeaderStep(packed, always);
        if (scanned !== null) expect(found(scanned.table, names)).toEqual(found(dataOf(packed), names));
        const bytes = struct(table);
        const other = scanHeaderStruct(bytes);
        const decoded = decodeResult('google.protobuf.Struct', bytes);
        if (other !== null) expect(found(other, names)).toEqual(found(decoded, names));
      }),
    );
  });

  it('is never taken from bytes that the decoder refuses, and says the same of those that it takes', () => {
    const damage = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        fc.dictionary(name, lines, { maxKeys: 6 }),
        asked,
        damage,
        fc.boolean(),
        (table, names, at, cut) => {
          for (const [bytes, scan, decode] of [
            [step(table, false), (b: Buffer) => scanHeaderStep(b, always)?.table ?? null, dataOf],
            [struct(table), scanHeaderStruct, (b: Buffer) => decodeResult('google.protobuf.Struct', b)],
          ] as const) {
            for (const [place, byte] of at) if (place < bytes.length) bytes[place] = byte;
            const damaged = cut ? bytes.subarray(0, at[0]?.[0]) : bytes;
            const scanned = scan(damaged);
            if (scanned !== null) expect(found(scanned, names)).toEqual(found(decode(damaged), names));
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('is taken from plain steps of events that want it, and from nothing else', () => {
    const bytes = step({ a: 'b' }, false);
    expect(scanHeaderStep(bytes, (id) => id !== 70_000)).toBeNull();
    expect(scanHeaderStep(step({ a: 'b' }, true), (id) => id !== 70_000)).toBeNull();
    expect(scanHeaderStep(step({ a: 'b' }, false, 'plugin.StepError'), always)).toBeNull();
    expect(scanHeaderStep(step('text', false), always)).toBeNull();
    expect(scanHeaderStep(Buffer.from(encoder.encode([2, 'a', {}])), always)).toBeNull();
    expect(scanHeaderStep(Buffer.concat([bytes, Buffer.of(0)]), always)).toBeNull();
  });
});
