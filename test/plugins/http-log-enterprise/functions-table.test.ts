import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { luaLibrary } from '../../../plugins/http-log-enterprise/record/lua-library.ts';
import { luaView } from '../../../plugins/http-log-enterprise/record/lua-view.ts';
import type { LuaFunction } from '../../../src/lua/index.ts';
import { createLuaFunction } from '../../../src/lua/index.ts';

/** The table of functions in the plugin's README, against what its Lua has and what Kong's sandbox has. */

const fileOf = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

type Verdict = 'yes' | 'in part' | 'refused' | 'absent';

function tableOf(text: string): Map<string, Verdict> {
  const names = new Map<string, Verdict>();
  const from = text.indexOf('| function');
  for (const row of text.slice(from, text.indexOf('\n\n', from)).split('\n').slice(2)) {
    const [, first = '', verdict = ''] = row.split('|').map((cell) => cell.trim());
    let group = '';
    for (const [, name = ''] of first.matchAll(/`([^`]+)`/g)) {
      if (name.includes('.')) group = name.slice(0, name.lastIndexOf('.') + 1);
      const whole = name.includes('.') ? name : group + name;
      expect([whole, names.has(whole)]).toEqual([whole, false]);
      names.set(whole, verdict as Verdict);
    }
  }
  return names;
}

const table = tableOf(fileOf('plugins/http-log-enterprise/README.md'));

/** The names that Kong 3.9.3 and 3.10 list for code that an administrator gives (read in `kong/tools`). */
const kongs = JSON.parse(fileOf('test/fixtures/kong/lua-sandbox-names.json')) as Record<
  '3.9' | '3.10',
  string[]
>;

/** A name's row: its own, that of a table it is in, or that of all names that begin alike. */
function rowOf(name: string): Verdict | undefined {
  if (/^ngx\.HTTP_/.test(name)) return table.get('ngx.HTTP_*');
  for (let part = name; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('.')))) {
    const verdict = table.get(part);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

/** Every word of the sources that make the world: whatever has a name there is one of them. */
function words(): string[] {
  const folders = ['src/lua/prelude', 'plugins/http-log-enterprise/record'];
  const sources = folders.flatMap((folder) =>
    readdirSync(new URL(`../../../${folder}`, import.meta.url))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => fileOf(`${folder}/${name}`)),
  );
  return [...new Set(sources.join('\n').match(/[A-Za-z_]\w*/g))].filter(
    (word) => !word.startsWith('_kong_ts'),
  );
}

const request = { uri: '/', url: 'http://h:80/', method: 'GET', querystring: {}, headers: {} };
const record = {
  request,
  response: { status: 200, headers: { via: 'kong/3.9.3' } },
  started_at: 1,
  upstream_status: '',
};

let run: LuaFunction;
beforeAll(async () => {
  const globals = luaView({
    record: () => record,
    authorization: () => null,
    write: () => undefined,
    wall: () => 0,
  });
  const source = String.raw`
    local name, words = ...
    local v = _G
    for part in string.gmatch(name, "[^.]+") do
      local ok, next = pcall(function() return v[part] end)
      if not ok then return "refused" end
      v = next
    end
    if words then
      local found = {}
      for _, word in ipairs(words) do
        local ok, value = pcall(function() return v[word] end)
        if not ok or value ~= nil then found[#found + 1] = word .. (type(value) == "table" and "." or "") end
      end
      return table.concat(found, " ")
    end
    if type(v) ~= "function" then return type(v) end
    local ok, problem = pcall(v)
    return string.find(tostring(problem), "cannot be had", 1, true) and "refused" or "function"`;
  run = await createLuaFunction(source, { globals, library: luaLibrary, values: 'kong', timeoutMs: 10_000 });
});
afterAll(() => run.close());

/** All names below a table of the world. */
function* namesBelow(group: string, all: readonly string[]): Generator<string> {
  for (const found of String(run.call(group, all))
    .split(' ')
    .filter((one) => one !== '')) {
    const name = `${group}${group === '' ? '' : '.'}${found.replace('.', '')}`;
    if (found === '_G.' || found === 'header.') yield name;
    else if (found.endsWith('.')) yield* namesBelow(name, all);
    else yield name;
  }
}

describe("the README's table of functions", () => {
  it('has every name that the Lua world has', () => {
    const found = [...namesBelow('', words())];
    expect(found.length).toBeGreaterThan(300);
    expect(found.filter((name) => rowOf(name) === undefined)).toEqual([]);
    expect(found.filter((name) => rowOf(name) === 'absent')).toEqual([]);
  });

  it.each(['3.9', '3.10'] as const)(
    'has every name that the sandbox of Kong %s has, and so has the Lua world',
    (version) => {
      const names = kongs[version];
      expect(names.length).toBeGreaterThan(60);
      expect(names.filter((name) => rowOf(name) === undefined)).toEqual([]);
      const missing = names.filter((name) => rowOf(name) !== 'absent' && run.call(name) === 'nil');
      expect(missing).toEqual([]);
    },
  );

  it('says of each name what it does', () => {
    const tells = [...table].filter(([name]) => !name.endsWith('*'));
    const wrong = tells.filter(([name, verdict]) => {
      const does = run.call(name);
      if (verdict === 'absent') return does !== 'nil';
      // A table of refused functions is one.
      if (verdict === 'refused') return does !== 'refused' && does !== 'table';
      return does === 'nil' || does === 'refused';
    });
    expect(wrong).toEqual([]);
  });

  it('refuses all functions of the tables that it refuses', () => {
    const groups = [...table].filter(
      ([name, verdict]) => verdict === 'refused' && run.call(name) === 'table',
    );
    for (const [group] of groups) {
      const names = [...namesBelow(group, words())];
      expect([group, names.length > 0]).toEqual([group, true]);
      expect(names.filter((name) => run.call(name) !== 'refused')).toEqual([]);
    }
  });
});
