import { describe, expect, expectTypeOf, it } from 'vitest';
import { catalogue, phases } from '../../src/pdk/index.ts';
import type { Kong, Phase, Protocol } from '../../src/pdk/index.ts';
import type { DefaultKongVersion, UpTo } from '../../src/pdk/names/versions.ts';
import { available } from './available.ts';

interface Letters {
  certificate: 'c';
  rewrite: 'w';
  access: 'a';
  response: 'r';
  preread: 'p';
  log: 'l';
}
const letters: Letters = {
  certificate: 'c',
  rewrite: 'w',
  access: 'a',
  response: 'r',
  preread: 'p',
  log: 'l',
};
interface Columns {
  protobuf: 0;
  msgpack: 1;
}
type Table = typeof available;

/** The functions of the version that plugins are written for by default. */
type Known = {
  [Path in keyof Table]: Table[Path] extends readonly [string, string, infer Since]
    ? Since extends UpTo<DefaultKongVersion>
      ? Path
      : never
    : Path;
}[keyof Table];

/** The functions that a handler has to see. */
type Expected<P extends Phase, R extends Protocol> = {
  [Path in Known]: Table[Path][Columns[R]] extends `${string}${Letters[P]}${string}` ? Path : never;
}[Known];

/** The functions that can be called on an object without the compiler refusing it, by path. */
type Callable<T, Path extends string> = {
  [Name in keyof T & string]: T[Name] extends (...args: never[]) => unknown
    ? `${Path}.${Name}` | Callable<T[Name], `${Path}.${Name}`>
    : 'valueOf' extends keyof T[Name]
      ? // It says why it cannot be called.
        never
      : Callable<T[Name], `${Path}.${Name}`>;
}[keyof T & string];

/** Made here, besides the catalogue's functions: the text of `kong.log.serialize`. */
type Own = 'kong.log.serializeRaw';
type Seen<P extends Phase, R extends Protocol> = Exclude<Callable<Kong<P, R>, 'kong'>, Own>;

describe('what compiles in a handler is what Kong offers there, and nothing else', () => {
  it('over ProtoBuf:1', () => {
    expectTypeOf<Seen<'certificate', 'protobuf'>>().toEqualTypeOf<Expected<'certificate', 'protobuf'>>();
    expectTypeOf<Seen<'rewrite', 'protobuf'>>().toEqualTypeOf<Expected<'rewrite', 'protobuf'>>();
    expectTypeOf<Seen<'access', 'protobuf'>>().toEqualTypeOf<Expected<'access', 'protobuf'>>();
    expectTypeOf<Seen<'response', 'protobuf'>>().toEqualTypeOf<Expected<'response', 'protobuf'>>();
    expectTypeOf<Seen<'preread', 'protobuf'>>().toEqualTypeOf<Expected<'preread', 'protobuf'>>();
    expectTypeOf<Seen<'log', 'protobuf'>>().toEqualTypeOf<Expected<'log', 'protobuf'>>();
  });

  it('over MsgPack:1', () => {
    expectTypeOf<Seen<'certificate', 'msgpack'>>().toEqualTypeOf<Expected<'certificate', 'msgpack'>>();
    expectTypeOf<Seen<'rewrite', 'msgpack'>>().toEqualTypeOf<Expected<'rewrite', 'msgpack'>>();
    expectTypeOf<Seen<'access', 'msgpack'>>().toEqualTypeOf<Expected<'access', 'msgpack'>>();
    expectTypeOf<Seen<'response', 'msgpack'>>().toEqualTypeOf<Expected<'response', 'msgpack'>>();
    expectTypeOf<Seen<'preread', 'msgpack'>>().toEqualTypeOf<Expected<'preread', 'msgpack'>>();
    expectTypeOf<Seen<'log', 'msgpack'>>().toEqualTypeOf<Expected<'log', 'msgpack'>>();
  });

  it('and the table is what the run time refuses or sends', () => {
    expect(Object.keys(available).sort()).toEqual(catalogue.map(({ path }) => path).sort());
    for (const { path, offered, since } of catalogue) {
      const line: readonly [string, string, string?] = available[path as keyof Table];
      const [protobuf, msgpack] = line;
      expect([path, since]).toEqual([path, line[2] ?? null]);
      const inOrder = (list: readonly Phase[]) => phases.filter((phase) => list.includes(phase));
      const read = (text: string) => phases.filter((phase) => text.includes(letters[phase]));
      expect([path, read(protobuf), read(msgpack)]).toEqual([
        path,
        inOrder(offered.protobuf),
        inOrder(offered.msgpack),
      ]);
    }
  });
});
