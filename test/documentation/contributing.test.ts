import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(path.join(root, 'CONTRIBUTING.md'), 'utf8');
const architecture = page.slice(page.indexOf('## The picture'), page.indexOf('## Recordings'));
const bases = ['', 'src', 'src/event-hooks'];

/** Files and folders that the page names, from the root, from `src/` or from the room that it speaks of. */
const named = [...architecture.matchAll(/`((?:[\w.<>-]+\/)+[\w.*<>-]*)`/g)]
  .map(([, name]) => name ?? '')
  .filter((name) => !/[*<>]/.test(name));
/** Names without a folder: they stand in a folder that the page names. */
const bare = [...architecture.matchAll(/`([\w-]+\.ts)`/g)].map(([, name]) => name ?? '');

const isThere = (name: string): boolean => bases.some((base) => existsSync(path.join(root, base, name)));

it('CONTRIBUTING.md names files and folders that are there', () => {
  expect(named.length).toBeGreaterThan(50);
  expect(
    named.filter((name) => !isThere(name)),
    'what moved has to move in CONTRIBUTING.md, too',
  ).toEqual([]);
});

it('a file that CONTRIBUTING.md names without a folder stands in one that it names', () => {
  const folders = named.flatMap((name) => (name.endsWith('.ts') ? [path.dirname(name)] : [name]));
  expect(bare.length).toBeGreaterThan(15);
  expect(
    bare.filter((name) => !folders.some((folder) => isThere(path.join(folder, name)))),
    'what moved has to move in CONTRIBUTING.md, too',
  ).toEqual([]);
});

it('each of the five ways through the code has twelve lines', () => {
  const ways = page.slice(page.indexOf('## Five ways'), page.indexOf('## How to add'));
  const lines = ways.split(/^\*\*.*\*\*$/m).slice(1);
  expect(lines.map((way) => way.match(/^\d+\. /gm)?.length)).toEqual([12, 12, 12, 12, 12]);
});
