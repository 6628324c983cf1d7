import { LuaFactory } from 'wasmoon';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compilePlugin } from '../../../src/plugin/define.ts';
import { luaSource } from '../../../src/plugin/schema/lua-source.ts';

describe('the schema as Lua source', () => {
  it('is the same schema when Lua reads it', async () => {
    const { schema } = compilePlugin({
      name: 'test',
      version: '1.0.0',
      access: () => undefined,
      config: z.object({
        text: z.string().default('quote " backslash \\ line\n é').describe('A text with "everything"'),
        'with-dash': z.int().min(1).max(5).default(3),
        end: z.number().min(0),
        list: z.array(z.enum(['a', 'b'])).default(['a']),
        flag: z.boolean().default(false),
      }),
    });
    const lua = await new LuaFactory().createEngine();
    try {
      expect(await lua.doString(luaSource(schema))).toEqual(schema);
    } finally {
      lua.global.close();
    }
  });
});
