import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/base/errors.ts';

const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

/** The rows of the page's tables: `| CODE | fault | meaning | what to do |`. */
const rows = [...text.matchAll(/^\| `([A-Z_]+)` +\| (\w+) +\| (.+?) +\| (.+?) +\|$/gm)].map(
  ([, code, fault, meaning]) => ({ code, fault, meaning }),
);

describe('docs/errors.md', () => {
  it('lists the registry: every code, with its fault and meaning', () => {
    const registry = Object.entries(errorCodes).map(([code, entry]) => ({ code, ...entry }));
    const byCode = (a: { code?: string | undefined }, b: { code?: string | undefined }): number =>
      (a.code ?? '') < (b.code ?? '') ? -1 : 1;
    expect(rows.toSorted(byCode)).toEqual(registry.toSorted(byCode));
  });
});
