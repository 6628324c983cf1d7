import { readFileSync } from 'node:fs';

const page = new URL('../../docs/sandbox.md', import.meta.url);

/** Ids of exchanges that docs/sandbox.md says differ: the first column of its table "What the first set still finds". */
export function documentedDifferences(text = readFileSync(page, 'utf8')): string[] {
  const section = text.split('## What the first set still finds')[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| `([a-z0-9-]+)`/gm)].map(([, id = '']) => id);
}
