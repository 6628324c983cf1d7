import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCallbackLog } from '../../../src/server/index.ts';
import { PluginWatch } from '../../../src/server/supervisor/plugin-watch.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kts-watch-'));
  for (let index = 0; index < 30; index++) {
    mkdirSync(join(folder, 'node_modules', `p${index}`), { recursive: true });
    writeFileSync(join(folder, 'node_modules', `p${index}`, 'index.js'), '');
  }
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function watches(): number {
  let count = 0;
  for (const descriptor of readdirSync('/proc/self/fdinfo')) {
    try {
      const info = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
      count += info.split('inotify wd').length - 1;
    } catch {
      // Closed in between.
    }
  }
  return count;
}

describe('PluginWatch', () => {
  it.runIf(process.platform === 'linux')('tells of changes once, and leaves node_modules alone', async () => {
    const before = watches();
    const file = join(folder, 'plugin.ts');
    let tell: (name: string) => void = () => undefined;
    const changed = new Promise<string>((resolve) => {
      tell = resolve;
    });
    const log = createCallbackLog('debug', () => undefined);
    const watch = new PluginWatch([file], log, tell);
    expect(watches() - before).toBeLessThan(10);
    writeFileSync(join(folder, 'node_modules', 'p1', 'index.js'), 'changed');
    writeFileSync(file, 'export {};');
    expect(await changed).toBe('plugin.ts');
    watch.close();
  });
});
