import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkLua51, createLuaFunction } from '../../../src/lua/index.ts';

/** What LuaJIT 2.1 (built as Kong builds it, with the extensions of Lua 5.2) answered. */
const recorded = (name: string): { source: string; verdict: string }[] =>
  JSON.parse(readFileSync(new URL(`../../fixtures/lua/${name}.json`, import.meta.url), 'utf8')) as {
    source: string;
    verdict: string;
  }[];

const prefix = 'The Lua source does not parse: ';
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function verdictOf(source: string): string {
  try {
    checkLua51(source);
    return 'ok';
  } catch (error) {
    return messageOf(error).replace(prefix, '');
  }
}

describe('the syntax of LuaJIT', () => {
  const cases = recorded('luajit-syntax');

  it('is taken and refused as LuaJIT does', () => {
    const wrong = cases.filter(({ source, verdict }) => (verdictOf(source) === 'ok') !== (verdict === 'ok'));
    expect(wrong).toEqual([]);
  });

  it.each([
    ['x = 7 // 2', "lua:1: unexpected symbol near '/'."],
    ['x = 7 & 2', "lua:1: unexpected symbol near '&'."],
    ['local x <const> = 1', "lua:1: unexpected symbol near '<'."],
    ['break', "lua:1: no loop to break near '<eof>'."],
    ['\u001bLJ\u0002', "lua:1: unexpected symbol near '\u001b'."],
    ['return 1\n+', "lua:2: unexpected symbol near '<eof>'."],
    ['return 1\nx', "lua:2: '<eof>' expected near 'x'."],
  ])('is refused in its words: %j', (source, words) => {
    expect(verdictOf(source)).toBe(words);
  });

  it('compiles in Lua 5.4 once it is translated', async () => {
    const taken = cases.filter(({ verdict }) => verdict === 'ok');
    for (const { source } of taken.filter((_, i) => i < 40 || i % 4 === 0)) {
      const run = await createLuaFunction(source);
      run.close();
    }
  });

  it.each([
    ['nested parentheses', `return ${'('.repeat(100_000)}1${')'.repeat(100_000)}`],
    ['nested blocks', 'do '.repeat(100_000)],
    ['nested functions', 'return function() '.repeat(100_000)],
    ['nested tables', `return ${'{'.repeat(100_000)}`],
    ['unary operators', `return ${'- '.repeat(100_000)}1`],
    ['many labels', 'goto a '.repeat(100_000)],
    ['a source without end', ' '.repeat(2_000_000)],
  ])('has limits: %s', (_what, source) => {
    expect(verdictOf(source)).toMatch(/too many syntax levels|more than 1000 labels|longer than/);
  });

  it('never fails in another way, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme-ascii' })), (text) => {
        expect(() => checkLua51(text)).not.toThrow(RangeError);
        expect(verdictOf(text)).toMatch(/^ok$|^lua:\d+: /);
      }),
    );
  });
});

describe('programs', () => {
  const show = `local function show(...)
      local t = {}
      for i = 1, select("#", ...) do
        local v = select(i, ...)
        if type(v) == "table" or type(v) == "function" then v = type(v) end
        t[i] = tostring(v)
      end
      return table.concat(t, "\\1")
    end `;

  it.each(recorded('luajit-results'))(
    'give what they give in LuaJIT: $source',
    async ({ source, verdict }) => {
      const wrapped = `${show.replaceAll('\n', ' ')} return show((function() ${source}\nend)())`;
      let answer: string;
      try {
        const run = await createLuaFunction(wrapped, { values: 'kong' });
        try {
          answer = `+${String(run.call())}`;
        } catch (error) {
          answer = `-${messageOf(error)}`;
        }
        run.close();
      } catch (error) {
        answer = `!${messageOf(error).replace(prefix, '').replace(/\.$/, '')}`;
      }
      expect(answer).toBe(verdict);
    },
  );
});

describe('values between Kong and Lua', () => {
  it('are bytes: any of them come back as they went', async () => {
    const run = await createLuaFunction(
      'local s = ... return s, #s, s:upper():lower() ~= nil, (s:gsub("", ""))',
      {
        values: 'kong',
      },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = Buffer.from(bytes).toString('latin1');
        expect(run.callAll(text)).toEqual([text, bytes.length, true, text]);
      }),
    );
    run.close();
  });

  it('are text where text is wanted: any bytes come back there, too', async () => {
    const run = await createLuaFunction('local s = ... return s');
    const { decodeLuaText } = await import('../../../src/lua/text.ts');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = decodeLuaText(Buffer.from(bytes));
        expect(run.call(text)).toBe(text);
      }),
    );
    run.close();
  });

  it.each([
    ['return {1, nil, 3}', [1, null, 3]],
    ['return {[3] = "x"}', [null, null, 'x']],
    ['return {}', {}],
    ['return {1, x = 2}', { 1: 1, x: 2 }],
    ['return {[0] = 1}', { 0: 1 }],
    ['return {[1.5] = 1}', { 1.5: 1 }],
    ['return ...', null],
    ['return {a = ...}', { a: null }],
  ])('become what Kong makes JSON of: %s', async (source, value) => {
    const run = await createLuaFunction(source, { values: 'kong' });
    expect(run.call(null)).toEqual(value);
    run.close();
  });

  it.each([
    ['return {[100] = 1}', /excessively sparse array/],
    ['return {[true] = 1}', /table key must be a number or string/],
    ['local t = {} t.t = t return t', /non-self-referencial/],
    ['local t = {} return {t, t}', /non-self-referencial/],
    ['return function() end', /non-self-referencial/],
    ['return coroutine.create(print)', /non-self-referencial/],
  ])('are refused where Kong refuses them: %s', async (source, message) => {
    const run = await createLuaFunction(source, { values: 'kong' });
    expect(() => run.call()).toThrow(message);
    run.close();
  });

  it('are all the results of a chunk', async () => {
    const run = await createLuaFunction('return 1, nil, "x"', { values: 'kong' });
    expect(run.callAll()).toEqual([1, undefined, 'x']);
    run.close();
  });
});
