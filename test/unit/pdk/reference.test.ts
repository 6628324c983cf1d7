import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { pdkReference, referencePath } from '../../../scripts/generate-pdk-reference.ts';
import { pdkTypes } from '../../../scripts/generate-pdk-types.ts';
import { namespaces } from '../../../src/pdk/catalogue.ts';
import { shelves } from '../../../src/pdk/catalogue/shelves.ts';
import { catalogue } from '../../../src/pdk/index.ts';

const remedy = 'change src/pdk/catalogue/, then run `npm run docs`';

it('docs/pdk.md is what `npm run docs` writes', async () => {
  expect(await readFile(referencePath, 'utf8'), remedy).toBe(await pdkReference());
});

it('docs/pdk.md has every function with an example', async () => {
  const page = await readFile(referencePath, 'utf8');
  for (const row of catalogue) {
    expect(page).toContain(`### ${row.path}\n`);
    expect(page).toContain(row.example);
  }
});

it('the signatures that authors see are what `npm run docs` writes', async () => {
  const written = await pdkTypes();
  expect(written.size).toBe(5);
  for (const [file, text] of written) {
    expect(await readFile(file, 'utf8'), `${basename(file)}: ${remedy}`).toBe(text);
  }
});

it('every path of the catalogue has a shelf, and every method a comment', async () => {
  const paths = Object.keys(namespaces).filter((path) => path !== 'kong');
  expect(Object.keys(shelves).toSorted(), 'add it to src/pdk/catalogue/shelves.ts').toEqual(paths.toSorted());
  for (const text of (await pdkTypes()).values()) {
    const lines = text.split('\n');
    const methods = lines.filter((line) => /^ {2}\w+\(/.test(line));
    expect(methods.length).toBeGreaterThan(0);
    lines.forEach((line, at) => {
      if (/^ {2}\w+\(/.test(line)) expect(lines[at - 1]).toMatch(/\*\/$/);
    });
  }
});
