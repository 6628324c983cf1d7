import { afterEach, describe, expect, it } from 'vitest';
import { KongTsError } from '../../../src/base/errors.ts';
import type { LuaFunction, LuaOptions } from '../../../src/lua/index.ts';
import { checkLua, createLuaFunction } from '../../../src/lua/index.ts';

const made: LuaFunction[] = [];
afterEach(() => {
  for (const run of made.splice(0)) run.close();
});

async function compile(source: string, options: LuaOptions = {}): Promise<LuaFunction> {
  const run = await createLuaFunction(source, { timeoutMs: 100, ...options });
  made.push(run);
  return run;
}

async function codeOf(source: string, options: LuaOptions = {}): Promise<string> {
  const run = await compile(source, options);
  try {
    run.call();
  } catch (error) {
    if (error instanceof KongTsError) return error.code;
    throw error;
  }
  return 'none';
}

describe('values', () => {
  it.each([
    ['return 1 + 1', 2],
    ['return 10 / 4', 2.5],
    ['return "a" .. 1', 'a1'],
    ['return nil', undefined],
    ['return true, 5', true],
    ['return {}', {}],
    ['return {1, 2, {a = "b"}}', [1, 2, { a: 'b' }]],
    ['return {1, nil, 3}', { 1: 1, 3: 3 }],
    ['return {[1] = 1, x = 2}', { 1: 1, x: 2 }],
    [String.raw`return "\255\0é"`, '\udcff\0é'],
  ])('%s', async (source, value) => {
    expect((await compile(source)).call()).toEqual(value);
  });

  it('come in as arguments, copied', async () => {
    const run = await compile('local t, s = ... t.a = t.a + 1 return { t = t, s = s:byte(1) }');
    const table = { a: 1, list: ['x'], __proto__: null };
    expect(run.call(table, '\udcff')).toEqual({ t: { a: 2, list: ['x'] }, s: 255 });
    expect(table.a).toBe(1);
  });

  it('named __proto__ are data', async () => {
    const value = (await compile('return { ["__proto__"] = { polluted = true } }')).call() as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(['__proto__']);
  });

  it('that are not data are refused', async () => {
    expect(await codeOf('return { f = function() end }')).toBe('LUA_FAILED');
    expect(await codeOf('local t = {} t.t = t return t')).toBe('LUA_FAILED');
  });
});

describe('calls', () => {
  it('start with clean globals each time', async () => {
    const run = await compile('count = (count or 0) + 1 return count');
    expect([run.call(), run.call()]).toEqual([1, 1]);
  });

  it('keep a function that the chunk returns, with its state', async () => {
    const run = await compile('local n = 0 return function(step) n = n + step return n end');
    expect([run.call(2), run.call(3)]).toEqual([2, 5]);
  });

  it('reach host functions, whose errors are Lua errors', async () => {
    const globals = {
      kong: {
        request: {
          get_header: (name: unknown) => `${String(name)}!`,
          fail: () => {
            throw new Error('not here');
          },
        },
      },
    };
    const run = await compile(
      'return { kong.request.get_header("x"), select(2, pcall(kong.request.fail)) }',
      {
        globals,
      },
    );
    expect(run.call()).toEqual(['x!', 'not here']);
  });

  it('work again after an error and after a limit', async () => {
    const run = await compile(
      'local mode = ... if mode == 1 then error("no") end while mode == 2 do end return "ok"',
    );
    expect(() => run.call(1)).toThrow(/no/);
    expect(() => run.call(2)).toThrow(/time limit/);
    expect(run.call(3)).toBe('ok');
  });
});

describe('limits', () => {
  it.each([
    ['an endless loop', 'while true do end'],
    ['an endless loop that catches', 'while true do pcall(function() while true do end end) end'],
    ['an endless handler', 'xpcall(function() while true do end end, function() while true do end end)'],
    ['a coroutine', 'coroutine.wrap(function() while true do end end)()'],
    ['a comparison', 'table.sort({3, 2, 1}, function() while true do end end)'],
    ['big strings again and again', 'while true do local s = ("x"):rep(1e6) end'],
    ['a pattern that backtracks', 'return ("a"):rep(100000):find(".-.-.-.-.-.-b")'],
    ['gsub', 'return (("a"):rep(50000):gsub("a-a-a-a-b", ""))'],
  ])('time: %s', async (_what, source) => {
    expect(await codeOf(source)).toBe('LUA_LIMIT');
  });

  it.each([
    ['a doubling string', 'local s = "x" while true do s = s .. s end'],
    ['a growing table', 'local t = {} while true do t[#t + 1] = { 1, 2, 3 } end'],
    ['an endless recursion', 'local function f() return 1 + f() end return f()'],
  ])('memory: %s', async (_what, source) => {
    expect(await codeOf(source, { memoryBytes: 1024 * 1024, timeoutMs: 5_000 })).toBe('LUA_LIMIT');
  });

  it('do not count the time in which the machine ran others', async () => {
    const wait = new Int32Array(new SharedArrayBuffer(4));
    const run = await createLuaFunction(
      'stand_still() local n = 0 for i = 1, 100000 do n = n + 1 end return n',
      {
        timeoutMs: 400,
        globals: { stand_still: () => void Atomics.wait(wait, 0, 0, 500) },
      },
    );
    expect(run.call()).toBe(100_000);
    run.close();
  });

  it('refuse a string that cannot fit, at once', async () => {
    expect(await codeOf('return ("x"):rep(1e9)')).toBe('LUA_FAILED');
  });
});

describe('the sandbox', () => {
  it.each([
    'debug',
    'package',
    'load',
    'loadstring',
    'loadfile',
    'dofile',
    'getmetatable',
    'setmetatable',
    'rawset',
    'collectgarbage',
  ])('has no %s', async (name) => {
    expect((await compile(`return type(${name})`)).call()).toBe('nil');
  });

  it('has no dangerous functions in the tables it has', async () => {
    const run = await compile(
      'return { type(os.execute), type(os.exit), type(os.getenv), type(string.dump), type(("").dump), type(io.open) }',
    );
    expect(run.call()).toEqual(['nil', 'nil', 'nil', 'nil', 'nil', 'nil']);
  });

  it('loads nothing but table helpers', async () => {
    expect(await codeOf('return require("io")')).toBe('LUA_FAILED');
    expect((await compile('return require("table.nkeys")({1, 2, x = 3})')).call()).toBe(3);
  });

  it('is LuaJIT where Lua 5.4 differs', async () => {
    const run = await compile(`return {
      unpack({7}), table.getn({1, 2}), math.pow(2, 3), bit.band(0xff, 0x0f), bit.tohex(-1), tostring(10 / 2),
      string.format("%d|%s|%5.2f", 2.7, 4 / 2, 1.5), math.log10(100), bit.rshift(-1, 28), table.maxn({[5] = 1}) }`);
    expect(run.call()).toEqual([7, 2, 8, 15, 'ffffffff', '5', '2|2| 1.50', 2, 15, 5]);
  });

  it('matches patterns like Lua, the bounded way too', async () => {
    // A subject this long makes every pattern with two free repetitions go the bounded way.
    const run = await compile(
      `local long = ("- "):rep(1500)
       local function both(f) return { f("key=value; other=thing"), f("key=value; other=thing" .. long) } end
       return {
         both(function(s) return (s:gsub("(%w+)=(%w+)", "%2=%1", 1)):sub(1, 9) end),
         both(function(s) local a, b, c = s:find("(%w-)=(%w+);") return a .. ":" .. b .. ":" .. c end),
         both(function(s) return s:match("^(%w+)=.-(%w+)=") end),
         both(function(s) return s:match("%f[%w]other%f[%W]=(%a?%a?)") end),
         both(function(s) local n = 0 for k, v in s:gmatch("(%w+)=(%w-)g") do n = n + #k end return n end),
         both(function(s) return ("(a(b)c)" .. s):match("%b().-()=") end),
         both(function(s) return (("aa" .. s):match("(a)%1(.-)y")) end),
       }`,
      { timeoutMs: 2_000 },
    );
    for (const [plain, bounded] of run.call() as unknown[][]) expect(bounded).toEqual(plain);
  });
});

describe('sources', () => {
  it('that do not parse are named with their line', async () => {
    await expect(checkLua('return 1\n+')).rejects.toMatchObject({
      code: 'LUA_INVALID',
      message: expect.stringContaining('lua:2:') as string,
    });
    await expect(checkLua('return kong.anything()')).resolves.toBeUndefined();
  });

  it('are text: bytecode is refused', async () => {
    await expect(checkLua('\u001bLua')).rejects.toMatchObject({ code: 'LUA_INVALID' });
  });
});
