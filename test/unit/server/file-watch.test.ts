import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { FileWatch } from '../../../src/server/watch/file-watch.ts';

it('tells of a file of a package that lies within the package of another file', async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'kts-watch-')));
  const shared = join(folder, 'packages', 'shared');
  mkdirSync(shared, { recursive: true });
  const files = [join(folder, 'plugin.ts'), join(shared, 'index.ts')];
  for (const file of [...files, join(folder, 'package.json'), join(shared, 'package.json')])
    writeFileSync(file, '{}');
  let touched = 0;
  const watch = new FileWatch({ touched: () => touched++, polls: () => undefined });
  onTestFinished(async () => {
    await watch.close();
    rmSync(folder, { recursive: true });
  });
  await watch.watch(files);
  expect(touched).toBe(0);
  writeFileSync(join(shared, 'index.ts'), 'other');
  await expect.poll(() => touched).toBeGreaterThan(0);
});
