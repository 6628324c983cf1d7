import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createLuaFunction } from '../../../src/lua/index.ts';

/**
 * Random calls of every function of `string`, `table`, `math`, `bit`, `os` and the base library, random operators and
 * conversions, and what LuaJIT 2.1 (built as Kong builds it, with the extensions of Lua 5.2) made of them: the values
 * with 17 and with 14 digits, or the error. Left out are the few that README.md of http-log-enterprise lists.
 */
const recorded = JSON.parse(
  readFileSync(new URL('../../fixtures/lua/luajit-expressions.json', import.meta.url), 'utf8'),
) as { source: string; verdict: string }[];

const show = String.raw`
  local function enc(s)
    return (string.gsub(s, "[^%w%p ]", function(c) return string.format("\\%03d", string.byte(c)) end))
  end
  local function one(v)
    local t = type(v)
    if t == "number" then
      if v ~= v then return "nan" end
      return string.format("n:%.17g", v) .. "/" .. tostring(v)
    end
    if t == "string" then return "s:" .. enc(v) end
    if t == "nil" or t == "boolean" then return tostring(v) end
    return t
  end
  local function show(ok, ...)
    local t = {}
    for i = 1, select("#", ...) do t[i] = one((select(i, ...))) end
    return (ok and "+" or "-") .. table.concat(t, " ~ ")
  end
  local function keep(...) return ... end
  local out = {} `.replaceAll('\n', ' ');

async function verdicts(sources: readonly string[]): Promise<string[]> {
  const calls = sources.map(
    (source, i) => `out[${i + 1}] = show(pcall(function() return keep(${source}) end))`,
  );
  const run = await createLuaFunction(`${show}${calls.join('\n')}\nreturn table.concat(out, "\\n")`, {
    values: 'kong',
    timeoutMs: 30_000,
  });
  try {
    return String(run.call()).split('\n');
  } finally {
    run.close();
  }
}

describe('expressions', () => {
  it('give what they give in LuaJIT, value for value and error for error', async () => {
    expect(recorded.length).toBeGreaterThan(700);
    for (let at = 0; at < recorded.length; at += 100) {
      const part = recorded.slice(at, at + 100);
      const given = await verdicts(part.map(({ source }) => source));
      expect(
        part.map(({ source }, i) => ({ source, verdict: given[i]?.replaceAll(/lua:\d+: /g, 'lua: ') })),
      ).toEqual(part);
    }
  });

  it.each([
    ['7 % 2 .. 5 % 3', '+s:12'],
    ['2 * 7 % 4 * 3', '+n:6/6'],
    ['-7 % 3 ^ 1', '+n:2/2'],
    ['5 % #"" == 5 % #""', '+false'],
    ['(1 .. 2) % (3 .. 4) .. "x" .. 9 % 5 % 3', '+s:12x1'],
  ])('bind as in Lua: %s', async (source, verdict) => {
    expect(await verdicts([source])).toEqual([verdict]);
  });

  it('a product of whole numbers is not a number of 64 bits', async () => {
    expect(
      await verdicts([
        '(function() local h = ("z"):byte() for i = 1, 12 do h = h * ("z"):byte() end return h end)()',
      ]),
    ).toEqual(['+n:1.3264100346441952e+27/1.3264100346442e+27']);
  });
});
