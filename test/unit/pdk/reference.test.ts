import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { pdkReference, referencePath } from '../../../scripts/generate-pdk-reference.ts';
import { catalogue } from '../../../src/pdk/index.ts';

it('docs/pdk.md is what `npm run docs` writes', async () => {
  expect(await readFile(referencePath, 'utf8')).toBe(await pdkReference());
});

it('docs/pdk.md has every function with an example', async () => {
  const page = await readFile(referencePath, 'utf8');
  for (const row of catalogue) {
    expect(page).toContain(`### ${row.path}\n`);
    expect(page).toContain(row.example);
  }
});
