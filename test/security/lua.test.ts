import { afterAll, describe, expect, it } from 'vitest';
import { KongTsError } from '../../src/base/errors.ts';
import { createLuaFunction } from '../../src/lua/index.ts';
import { loadMachine } from '../../src/lua/machine.ts';
import { hostileProgram } from './support/hostile-lua.ts';

/** A longer form by hand: `LUA_SEEDS=5000 npx vitest run test/security/lua.test.ts`. */
const seeds = Number(process.env.LUA_SEEDS ?? 40);
const timeoutMs = 25;
/** For a program that fails by itself, however little of the machine it gets. */
const unhurriedMs = 10_000;
const memoryBytes = 4 * 1024 * 1024;
/** The limit, ten times it where the machine is busy, and what one step of a library function may take: time of the processor. */
const patience = 10 * timeoutMs + 2000;

/** What this process has used of the processor, in milliseconds: others that keep it busy do not count. */
function usedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const globals = {
  kong: {
    echo: (value: unknown) => value,
    record: () => ({ list: Array.from({ length: 1000 }, (_, i) => ({ i, text: 'x'.repeat(100) })) }),
    huge: () => 'x'.repeat(64 * 1024 * 1024),
    bytes: () => Buffer.alloc(16 * 1024 * 1024),
    holes: () => {
      const list: unknown[] = [];
      list[10_000_000] = 1;
      return list;
    },
    own: () => {
      const value: Record<string, unknown> = {};
      value['value'] = value;
      return value;
    },
    throws: () => {
      throw new Error('x'.repeat(10_000_000));
    },
    deep: () => {
      let value: unknown = 1;
      for (let i = 0; i < 10_000; i++) value = [value];
      return value;
    },
  },
};

/** Runs a program in both styles. Resolves with the codes; whatever else is thrown fails the test. */
async function run(
  source: string,
  values: 'text' | 'kong',
  limitMs = timeoutMs,
): Promise<{ code: string; ms: number }> {
  let lua;
  try {
    lua = await createLuaFunction(source, { timeoutMs: limitMs, memoryBytes, globals, values });
  } catch (error) {
    if (KongTsError.is(error)) return { code: error.code, ms: 0 };
    throw error;
  }
  const start = usedMs();
  try {
    lua.callAll('argument', { a: [1, 2, 3] });
    return { code: 'none', ms: usedMs() - start };
  } catch (error) {
    if (!KongTsError.is(error)) throw error;
    expect(error.message.length).toBeLessThan(1200);
    return { code: error.code, ms: usedMs() - start };
  } finally {
    lua.close();
  }
}

const limit = ['LUA_LIMIT'];
const failed = ['LUA_FAILED'];
const either = ['LUA_LIMIT', 'LUA_FAILED'];
const fast = ['none'];

describe('a hostile program ends within its limits', () => {
  it.each<[string, string, string[]]>([
    ['optional items', 'return ("a"):rep(40):find(("a?"):rep(40) .. ("a"):rep(40))', limit],
    ['a balance before a bracket', 'return ("xy["):rep(450):find("%bxy%[.-.-.-b")', limit],
    ['balances', 'return ("("):rep(300000):find("%b()x")', limit],
    ['back references', 'local s = ("a"):rep(3000) return s:find("(.*)(.*)%1%2b")', limit],
    ['a long set', 'local p = "[" .. ("a"):rep(1e6) .. "]b" while true do ("a"):rep(100):find(p) end', limit],
    ['frontiers', 'return ("ab"):rep(50000):find("%f[a].-%f[b].-%f[c].-c")', limit],
    ['gmatch', 'for _ in ("a"):rep(30000):gmatch(".-.-.-b") do end', limit],
    ['gsub', 'return (("a"):rep(30000):gsub("a-a-a-b", ""))', limit],
    ['gsub that grows', 'return (("a"):rep(1e6):gsub("a", ("b"):rep(1e5)))', limit],
    [
      'gsub with captures that grow',
      'local s = ("a"):rep(1e6) while true do s = s:gsub("(.*)", "%1%1") end',
      limit,
    ],
    ['many captures of much', 'return #("a"):rep(1e6):match(("(.*)"):rep(1) .. ("()"):rep(20))', fast],
    [
      'nested captures of much',
      'return select("#", ("a"):rep(2e6):find(("("):rep(30) .. ".*" .. (")"):rep(30)))',
      limit,
    ],
    ['rep of nothing', 'return (""):rep(1e15)', fast],
    // Numbers are cut to 32 bits there, as LuaJIT cuts them: 1e15 copies are none.
    ['rep of much', 'return ("x"):rep(2e9)', failed],
    ['a directive without end', 'return string.format("%" .. ("0"):rep(1e6) .. "d", 1)', failed],
    [
      'a directive of digits',
      'while true do pcall(string.format, "%" .. ("1"):rep(1e6) .. "d", 1) end',
      limit,
    ],
    ['a wide directive', 'return string.format("%99.99f", 1e308)', fast],
    ['format of much', 'return string.format(("%s"):rep(100), (("x"):rep(1e6)))', failed],
    ['concat of nothing', 'return table.concat({}, ("x"):rep(1e6), 1, 2e9)', failed],
    [
      'concat of empty texts',
      'local t = {} for i = 1, 5e4 do t[i] = "" end while true do table.concat(t) end',
      limit,
    ],
    ['sort', 'local t = {} for i = 1, 1e5 do t[i] = -i end while true do table.sort(t) end', limit],
    [
      'sort without order',
      'local t = {} for i = 1, 2e4 do t[i] = i end while true do table.sort(t, function() return true end) end',
      limit,
    ],
    [
      'sort of long texts',
      'local a = ("x"):rep(1e6) local b, t = a .. "b", {} for i = 1, 1e4 do t[i] = i % 2 == 0 and a or b end table.sort(t)',
      limit,
    ],
    ['unpack of much', 'return #{unpack({}, 1, 1e9)}', failed],
    ['move of much', 'table.move({}, 1, 2e9, 2)', limit],
    ['insert in front', 'local t = {} while true do table.insert(t, 1, 1) end', limit],
    [
      'remove in front',
      'local t = {} for i = 1, 5e4 do t[i] = i end while true do table.insert(t, 1, table.remove(t, 1)) end',
      limit,
    ],
    [
      'an emptied table',
      'local t = {} for i = 1, 5e4 do t[i] = i end for i = 1, 5e4 do t[i] = nil end while true do next(t) end',
      limit,
    ],
    ['catching', 'while true do pcall(function() while true do end end) end', limit],
    [
      'catching in a coroutine',
      'local f f = function() pcall(function() while true do end end) f() end coroutine.wrap(f)()',
      limit,
    ],
    ['coroutines in coroutines', 'local function f() return coroutine.wrap(f)() end return f()', either],
    ['coroutines without end', 'while true do coroutine.wrap(function() coroutine.yield() end)() end', limit],
    ['catching the lack of memory', 'while true do pcall(string.rep, "x", 4e6) end', limit],
    [
      'catching in a full memory',
      'local t = {} pcall(function() while true do t[#t + 1] = {} end end) while true do pcall(string.rep, "x", 1e6) end',
      limit,
    ],
    ['a handler', 'xpcall(function() while true do end end, function() while true do end end)', limit],
    [
      'handlers in handlers',
      'local function h() return xpcall(error, h) end return h()',
      fast.concat(either),
    ],
    ['catching in catching', 'local function f() return pcall(f) end return f()', fast.concat(either)],
    ['recursion', 'local function f() return 1 + f() end return f()', either],
    ['tail calls', 'local function f() return f() end return f()', limit],
    ['recursion through gsub', 'local function f() return (("x"):gsub("x", f)) end return f()', either],
    ['recursion through sort', 'local function f() table.sort({1, 2}, f) return true end f()', either],
    ['goto', '::a:: goto a', limit],
    ['repeat', 'repeat until false', limit],
    ['a loop by nothing', 'for i = 1, math.huge, 0 do end', either],
    ['growing text', 'local s = "x" while true do s = s .. s end', limit],
    ['growing tables', 'local t = {} while true do t[#t + 1] = {1, 2, 3} end', limit],
    [
      'arguments',
      'local t = {} for i = 1, 7000 do t[i] = i end local function f(...) return f(1, ...) end f(unpack(t))',
      either,
    ],
    ['a shared table many times', 'local t = {} for i = 1, 60 do t = {t, t} end return t', either],
    [
      'a shared text many times',
      'local s, t = ("x"):rep(1e6), {} for i = 1, 5e4 do t[i] = s end return t',
      limit,
    ],
    [
      'a shared table to the host',
      'local t = {} for i = 1, 60 do t = {t, t} end return kong.echo(t)',
      either,
    ],
    ['a table in itself', 'local t = {} t.t = t return t', failed],
    ['a table in itself to the host', 'local t = {} t[1] = t return kong.echo(t)', failed],
    ['depth', 'local t = {} for i = 1, 1e4 do t = {t} end return t', failed],
    ['a value that does not fit', 'return kong.huge()', either],
    ['a value that nests', 'return kong.deep()', failed],
    ['bytes of the host', 'return kong.bytes()', failed],
    ['a list of the host with holes', 'return kong.holes()', either],
    ['a value of the host in itself', 'return kong.own()', failed],
    ['long errors of the host', 'while true do pcall(kong.throws) end', limit],
    [
      'a coroutine that catches its end',
      'local co = coroutine.create(function() while true do pcall(coroutine.yield) end end) while true do coroutine.resume(co) end',
      limit,
    ],
    [
      'a coroutine that yields from a handler',
      'coroutine.wrap(function() xpcall(function() while true do end end, coroutine.yield) end)() while true do end',
      limit,
    ],
    [
      'frontiers without end',
      'local s = ("a "):rep(1e5) while true do s:gsub("%f[%a].-%f[%A]", "") end',
      limit,
    ],
    ['replacements of nothing', 'return (("a"):rep(1e6):gsub("", ("%0"):rep(1e4)))', limit],
    ['a table as replacement', 'local t = {} return (("x"):rep(1e6):gsub(".", t))', limit.concat(fast)],
    ['numbers of many digits', 'while true do tonumber(("z"):rep(1e5), 36) end', limit],
    [
      'a table that is walked while it grows',
      'local t = {1} for k in pairs(t) do t[k + 1] = 1 end',
      either.concat(fast),
    ],
    ['values again and again', 'while true do kong.record() end', limit],
    ['the host called again and again', 'while true do pcall(kong.echo, {1, 2, 3}) end', limit],
    ['a long error', 'error(("x"):rep(1e6))', failed],
    ['an error that is a table', 'error({})', failed],
    ['an error in itself', 'local t = {} t.t = t error(t)', failed],
    ['an error that is nil', 'error(nil)', failed],
    ['a date without end', 'return os.date(("%c"):rep(1e5))', failed],
    ['a wrong date', 'return os.date("%", 1)', either.concat(fast)],
    ['a date beyond time', 'return os.date("%c", 1e300)', failed.concat(fast)],
    ['bytecode', '\u001bLua', ['LUA_INVALID']],
    ['dump', 'return string.dump(function() end)', failed],
    ['metatables of texts', 'return getmetatable("").__index', failed],
    ['another environment', 'local _ENV = {} return 1', fast],
    ['changing the library', 'string.format = nil', failed],
    [
      'changing it for pcall',
      'pcall(function() table.insert = print end) return table.insert == print',
      fast,
    ],
    ['the join by its name', 'return _kong_ts_join({}, {})', failed],
  ])('%s', { timeout: 20_000 }, async (_what, source, expected) => {
    for (const style of ['text', 'kong'] as const) {
      const { code, ms } = await run(source, style, expected.includes('LUA_LIMIT') ? timeoutMs : unhurriedMs);
      expect(expected).toContain(code);
      expect(ms).toBeLessThan(patience);
    }
  });

  it('whatever it is made of', { timeout: 120_000 }, async () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const source = hostileProgram(seed);
      const { code, ms } = await run(source, seed % 2 === 0 ? 'text' : 'kong');
      expect(['none', ...either], source).toContain(code);
      expect(ms, source).toBeLessThan(patience);
    }
  });
});

describe('a source that its compiler would look through again and again', () => {
  // The compiler has no limit of time: a mebibyte of these took it a minute and a half.
  it.each([
    ['conditions', 'if a then', ' elseif a then', ' end', /more than 1000 conditions of one 'if'/],
    ["'and'", 'return a', ' and a', '', /more than 1000 'and' and 'or' in a row/],
    ["'or'", 'return a', ' or a', '', /more than 1000 'and' and 'or' in a row/],
    ['both', 'return a', ' or a and a', '', /more than 1000 'and' and 'or' in a row/],
  ])('is refused: %s', async (_what, start, piece, end, message) => {
    const source = (count: number): string => start + piece.repeat(count) + end;
    await expect(createLuaFunction(source(60_000))).rejects.toThrow(message);
    (await createLuaFunction(source(400))).close();
  });
});

describe('what stays behind', () => {
  it('is nothing that keeps another function from running', async () => {
    const good = await createLuaFunction('return (...) + 1', { timeoutMs, memoryBytes });
    await run('while true do pcall(string.rep, "x", 4e6) end', 'kong');
    expect(() => good.call('x'.repeat(64 * 1024 * 1024))).toThrow(/memory/);
    expect(good.call(1)).toBe(2);
    good.close();
  });

  // The machine's memory only grows: everything above has passed through it.
  afterAll(async () => {
    const { HEAPU8 } = await loadMachine();
    expect(HEAPU8.length).toBeLessThan(256 * 1024 * 1024);
  });
});
