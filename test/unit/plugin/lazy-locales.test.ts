import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as locales from 'zod/locales';
import { isListOfLocales, lazyLocales } from '../../../src/plugin/lazy-locales.ts';
import { runCli } from '../../support/run-cli.ts';

const zodFolder = path.dirname(createRequire(import.meta.url).resolve('zod/package.json'));
const list = path.join(zodFolder, 'v4/locales/index.js');

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-locales-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A plugin whose configuration says what z.locales gave it. */
const plugin = `import { definePlugin } from 'kong-ts';
import { z } from 'zod';
z.config(z.locales.de());
const refused = z.string().safeParse(5).error.issues[0].message;
z.config(z.locales.en());
const told = JSON.stringify([refused, Object.keys(z.locales), String(z.locales.fr)]);
export default definePlugin({
  name: 'speaks',
  version: '1.0.0',
  config: z.object({ told: z.string().default(told) }),
  access() {},
});
`;

async function speaks(where: string): Promise<[string, string[], string]> {
  mkdirSync(where, { recursive: true });
  writeFileSync(path.join(where, 'speaks.mjs'), plugin);
  // A process of its own: this one has read zod already.
  const { stdout, stderr } = await runCli(['dump', path.join(where, 'speaks.mjs')]);
  expect(stderr).toBe('');
  let told: { default: string } | null = null;
  JSON.parse(stdout, (key, value: unknown) => {
    if (key === 'told') told = value as { default: string };
    return value;
  });
  const { default: text } = told ?? expect.fail(stdout);
  return JSON.parse(text) as [string, string[], string];
}

describe('the languages of zod, read when they are used', () => {
  it('knows the list of this version of zod', () => {
    expect(isListOfLocales(`file://${list}`)).toBe(true);
    expect(isListOfLocales(`file://${path.join(zodFolder, 'v4/core/index.js')}`)).toBe(false);
    const lazy = lazyLocales(readFileSync(list, 'utf8')) ?? '';
    expect([...lazy.matchAll(/^export function (\w+)/gm)].map(([, name]) => name)).toEqual(
      Object.keys(locales).sort((a, b) => lazy.indexOf(` ${a}(`) - lazy.indexOf(` ${b}(`)),
    );
  });

  it('leaves a list alone that is written in another way', () => {
    expect(lazyLocales('export { default as ar } from "./ar.js";\n')).not.toBeNull();
    for (const other of [
      'export * from "./ar.js";',
      'export const ar = 1;',
      'export { ar } from "./ar.js";',
    ]) {
      expect(lazyLocales(`export { default as az } from "./az.js";\n${other}\n`)).toBeNull();
    }
  });

  it('serves a plugin that has no zod of its own', async () => {
    const [refused, names, source] = await speaks(path.join(folder, 'lent'));
    expect(refused).toContain('erwartet');
    expect(names).toEqual(Object.keys(locales));
    expect(source).toContain('require');
  });

  it('serves a plugin that has one, from that one', async () => {
    const own = path.join(folder, 'own', 'node_modules', 'zod');
    cpSync(zodFolder, own, {
      recursive: true,
      filter: (file) => !/\.(ts|cts|cjs|map)$/.test(file) && !/\/(src|v3|mini)$/.test(file),
    });
    const german = path.join(own, 'v4/locales/de.js');
    writeFileSync(german, readFileSync(german, 'utf8').replaceAll('erwartet', 'haette gern'));
    const [refused, names, source] = await speaks(path.join(folder, 'own'));
    expect(refused).toContain('haette gern');
    expect(names).toEqual(Object.keys(locales));
    expect(source).toContain('require');
  });
});
