import { expect, it } from 'vitest';
import { definePlugin } from '../../../src/index.ts';
import { testPlugin } from '../../../src/testing/index.ts';

// An empty table has no kind in Lua, and each protocol reads its own in it (measured on Kong 3.9.3).
it.each([
  ['protobuf', {}],
  ['msgpack', []],
] as const)(
  'empty tables come out of ctx.shared as Kong gives them, full ones as they went in: %s',
  async (protocol, empty) => {
    const seen: unknown[] = [];
    const values = { list: [], map: {}, nested: { list: [], map: {}, full: [1, { a: 'b' }] } };
    const plugin = definePlugin({
      name: 'shares',
      version: '1.0.0',
      protocol,
      access: async (kong) => {
        for (const [name, value] of Object.entries(values)) await kong.ctx.shared.set(name, value);
      },
      log: async (kong) => {
        for (const name of Object.keys(values)) seen.push(await kong.ctx.shared.get(name));
      },
    });
    const t = await testPlugin(plugin);
    try {
      await t.request().run();
    } finally {
      await t.close();
    }
    expect(seen).toEqual([empty, empty, { list: empty, map: empty, full: [1, { a: 'b' }] }]);
  },
);
