import { afterEach, describe, expect, it } from 'vitest';
import { createLuaFunction } from '../../../src/lua/index.ts';
import { loadMachine } from '../../../src/lua/machine.ts';

const machine = await loadMachine();
const realloc = machine._realloc.bind(machine);
afterEach(() => {
  machine._realloc = realloc;
});

/** Small to read, large to compile: its instructions take 256 KiB. */
const source = 'a() '.repeat(20_000);

describe('a machine without memory', () => {
  it('says nothing about a source that compiles', async () => {
    machine._realloc = (pointer, size) => (size > 200_000 ? 0 : realloc(pointer, size));
    await expect(createLuaFunction(source)).rejects.toMatchObject({
      code: 'LUA_FAILED',
      message: 'There is no memory left for Lua.',
    });
    machine._realloc = realloc;
    (await createLuaFunction(source)).close();
  });

  it('has no state for a new function', async () => {
    machine._realloc = () => 0;
    await expect(createLuaFunction('return 1')).rejects.toMatchObject({ code: 'LUA_FAILED' });
  });

  it('is another matter than a limit of its own, which is told as one', async () => {
    const made = createLuaFunction(source, { memoryBytes: 400_000 });
    await expect(made).rejects.toMatchObject({ code: 'LUA_LIMIT', message: /more memory than its limit/ });
  });

  it('fails a call, which is not an excess of the function', async () => {
    const run = await createLuaFunction('return #string.rep("x", 300000)');
    machine._realloc = (pointer, size) => (size > 200_000 ? 0 : realloc(pointer, size));
    expect(() => run.call()).toThrow(/no memory left/);
    machine._realloc = realloc;
    expect(run.call()).toBe(300_000);
    run.close();
  });
});
