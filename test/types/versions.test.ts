import { expect, expectTypeOf, it } from 'vitest';
import { definePlugin } from '../../src/index.ts';
import type { Kong, KongVersion, OnlySinceKong } from '../../src/index.ts';
import { kongVersions } from '../../src/pdk/names/versions.ts';
import type { UpTo } from '../../src/pdk/names/versions.ts';

/** 3.10 is later than 3.9. */
const byNumber = (a: string, b: string): number =>
  Number(a.split('.')[0]) - Number(b.split('.')[0]) || Number(a.split('.')[1]) - Number(b.split('.')[1]);

/** What can be called. */
type Names<T> = {
  [Name in keyof T]: T[Name] extends (...args: never[]) => unknown ? Name : never;
}[keyof T];
type Before = Names<Kong<'access', 'msgpack', '3.7'>['service']>;
type Since = Names<Kong<'access', 'msgpack', '3.8'>['service']>;

it('a version has what it and those before it have', () => {
  expectTypeOf<UpTo<'3.4'>>().toEqualTypeOf<'3.4'>();
  expectTypeOf<UpTo<'3.6'>>().toEqualTypeOf<'3.4' | '3.5' | '3.6'>();
  type All = (typeof kongVersions)[number];
  expectTypeOf<UpTo<'3.9'>>().toEqualTypeOf<'3.4' | '3.5' | '3.6' | '3.7' | '3.8' | '3.9'>();
  expectTypeOf<All>().toEqualTypeOf<KongVersion>();
  expect([...kongVersions].sort(byNumber)).toEqual(kongVersions);
});

it('a function of a newer Kong is not there for who has asked for an older one', () => {
  expectTypeOf<Extract<Before, 'setRetries' | 'setTimeouts'>>().toEqualTypeOf<never>();
  expectTypeOf<Extract<Since, 'setRetries' | 'setTimeouts'>>().toEqualTypeOf<'setRetries' | 'setTimeouts'>();
  expectTypeOf<Names<Kong<'log', 'msgpack', '3.7'>['telemetry']>>().toEqualTypeOf<never>();
  expectTypeOf<Names<Kong<'log', 'msgpack', '3.8'>['telemetry']>>().toEqualTypeOf<'log'>();
  expectTypeOf<Kong<'log', 'msgpack', '3.7'>['telemetry']['log']>().toEqualTypeOf<OnlySinceKong<'3.8'>>();
});

it('a plugin says which version it is written for, and gets no later functions', () => {
  const plugin = definePlugin({
    name: 'old',
    version: '1.0.0',
    protocol: 'msgpack',
    kong: '3.4',
    async access(kong) {
      await kong.service.setTarget('10.0.0.1', 80);
      expectTypeOf(kong.service.setRetries).toEqualTypeOf<OnlySinceKong<'3.8'>>();
    },
  });
  expect(plugin.name).toBe('old');
  definePlugin({
    name: 'new',
    version: '1.0.0',
    protocol: 'msgpack',
    phases: ['access'],
    kong: '3.8',
    setup: () => ({
      async access(kong) {
        await kong.service.setRetries(1);
        expectTypeOf<Names<typeof kong.service.request>>().extract<'clearQueryArg'>().toEqualTypeOf<never>();
      },
    }),
  });
});

it('a version that is not known is refused', () => {
  const definition = { name: 'x', version: '1.0.0', kong: '4.0', access: () => undefined };
  // @ts-expect-error The compiler refuses it, too.
  expect(() => definePlugin(definition)).toThrow('kong is "4.0"');
});
