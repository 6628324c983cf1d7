import { describe, expect, expectTypeOf, it } from 'vitest';
import { definePlugin, z } from '../../../src/index.ts';
import type { CompiledPlugin, Kong, NotInPhase, OnlyOverMsgPack } from '../../../src/index.ts';

const base = { name: 'test', version: '1.0.0' } as const;
const config = z.object({ text: z.string().optional(), count: z.int().default(1), tags: z.set(z.string()) });
type Config = { text?: string | undefined; count: number; tags: Set<string> };

describe("definePlugin's types", () => {
  it('give handlers the PDK of their phase and protocol, and the configuration', () => {
    const plugin = definePlugin({
      ...base,
      config,
      access(kong, given) {
        expectTypeOf(kong).toEqualTypeOf<Kong<'access', 'protobuf'>>();
        expectTypeOf(given).toEqualTypeOf<Config>();
      },
      async log(kong) {
        expectTypeOf(kong).toEqualTypeOf<Kong<'log', 'protobuf'>>();
        expectTypeOf(kong.client.getForwardedIp).toEqualTypeOf<NotInPhase<'log'>>();
      },
    });
    expectTypeOf(plugin).toEqualTypeOf<CompiledPlugin>();
    expect(plugin.phases).toEqual(['access', 'log']);
  });

  it('know the functions that only MsgPack:1 has', () => {
    definePlugin({
      ...base,
      protocol: 'msgpack',
      access(kong) {
        expectTypeOf(kong.vault.get).toBeFunction();
      },
    });
    definePlugin({
      ...base,
      access(kong) {
        expectTypeOf(kong.vault.get).toEqualTypeOf<OnlyOverMsgPack>();
      },
    });
  });

  it('follow setup: its context, its phases and its handlers', () => {
    const plugin = definePlugin({
      ...base,
      config,
      phases: ['access', 'log'],
      async setup({ config: given, instance, worker }) {
        expectTypeOf(given).toEqualTypeOf<Config>();
        expectTypeOf(instance.workspaceId).toEqualTypeOf<string | null>();
        expectTypeOf(worker.index).toBeNumber();
        return {
          access(kong) {
            expectTypeOf(kong).toEqualTypeOf<Kong<'access', 'protobuf'>>();
          },
          log(kong, again) {
            expectTypeOf(kong).toEqualTypeOf<Kong<'log', 'protobuf'>>();
            expectTypeOf(again).toEqualTypeOf<Config>();
          },
          close() {},
        };
      },
    });
    expect(plugin.phases).toEqual(['access', 'log']);
  });

  it('refuse a setup without one of its handlers', () => {
    // @ts-expect-error log is announced and missing
    definePlugin({ ...base, phases: ['access', 'log'], setup: () => ({ access() {} }) });
    // @ts-expect-error there is no phase of that name
    expect(() => definePlugin({ ...base, phases: ['body'], access() {} })).toThrow('phases does not name');
  });

  it("refuse Kong's attributes with the wrong type", () => {
    z.string().meta({ referenceable: true, match: '^%d' });
    // @ts-expect-error referenceable is a boolean
    z.string().meta({ referenceable: 'yes' });
  });
});
