import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signatureOf } from '../../../src/base/file-signature.ts';
import { createCallbackLog } from '../../../src/server/index.ts';
import { PluginWatch } from '../../../src/server/watch/plugin-watch.ts';

let folder: string;
let watch: PluginWatch;
/** What the reloads were called for. */
let reloads: (readonly string[])[];
let loads: number;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'kts-watch-')));
  reloads = [];
  loads = 0;
  watch = new PluginWatch({
    log: createCallbackLog('debug', () => undefined),
    named: [],
    reload: async (changed) => {
      reloads.push(changed);
      await watch.during(load, () => true);
    },
  });
});
afterEach(async () => {
  await watch.close();
  rmSync(folder, { recursive: true });
});

let files: readonly string[];

/** What a worker does: it reads the files, and tells. */
async function load(): Promise<void> {
  loads++;
  watch.read(files.map((path) => ({ path, signature: signatureOf(path) })));
}

/** The files of a plugin, which has been loaded from them and is watched. */
async function plugin(...names: string[]): Promise<void> {
  writeFileSync(join(folder, 'package.json'), '{}');
  files = names.map((name) => join(folder, name));
  for (const file of files) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'first');
  }
  await load();
  await watch.watching;
}

/** Resolves when the last load has seen this. */
async function loaded(): Promise<void> {
  const before = reloads.length;
  await expect.poll(() => reloads.length).toBeGreaterThan(before);
}

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

/** The ways in which editors and tools save a file. */
const ways: Record<string, (file: string, text: string) => void> = {
  'in place (nano, VS Code)': (file, text) => writeFileSync(file, text),
  'by a new file that replaces it (sed -i, Prettier, JetBrains)': (file, text) => {
    writeFileSync(`${file}.tmp`, text);
    renameSync(`${file}.tmp`, file);
  },
  'by a backup and a new file (vim)': (file, text) => {
    renameSync(file, `${file}~`);
    writeFileSync(file, text);
    unlinkSync(`${file}~`);
  },
  'by a copy as backup and in place (emacs)': (file, text) => {
    copyFileSync(file, `${file}~`);
    writeFileSync(file, text);
  },
  'by deleting it and making it again': (file, text) => {
    unlinkSync(file);
    writeFileSync(file, text);
  },
  'in pieces': (file, text) => {
    writeFileSync(file, '');
    for (const character of text) appendFileSync(file, character);
  },
};

describe('PluginWatch', () => {
  for (const [way, save] of Object.entries(ways)) {
    it(`sees a file that is saved ${way}, again and again, and loads once for each`, async () => {
      await plugin('plugin.ts', 'lib/helper.ts');
      const helper = join(folder, 'lib', 'helper.ts');
      for (const text of ['one', 'two', 'six']) {
        const seen = loaded();
        save(helper, text);
        await seen;
      }
      expect(reloads).toEqual([[helper], [helper], [helper]]);
      expect(loads).toBe(4);
    });
  }

  it('loads once for a file that takes two turns to be deleted and made again', async () => {
    await plugin('plugin.ts');
    const [file = ''] = files;
    const gone = loaded();
    unlinkSync(file);
    await gone;
    const back = loaded();
    writeFileSync(file, 'first');
    await back;
    expect(reloads).toHaveLength(2);
  });

  it('loads once for 200 files that a checkout writes', async () => {
    await plugin('plugin.ts', ...Array.from({ length: 200 }, (_, index) => `lib/part${index}.ts`));
    const seen = loaded();
    for (const file of files) {
      unlinkSync(file);
      writeFileSync(file, 'other');
    }
    await seen;
    expect(reloads.map((changed) => changed.length)).toEqual([201]);
  });

  it('sees what comes with a folder that is taken away and comes again', async () => {
    await plugin('plugin.ts', 'src/lib/helper.ts');
    const gone = loaded();
    renameSync(join(folder, 'src'), join(folder, 'old'));
    await gone;
    const back = loaded();
    mkdirSync(join(folder, 'src', 'lib'), { recursive: true });
    writeFileSync(join(folder, 'src', 'lib', 'helper.ts'), 'new');
    await back;
    const again = loaded();
    writeFileSync(join(folder, 'src', 'lib', 'helper.ts'), 'newer');
    await again;
  });

  it('sees a file that was asked for and was not there', async () => {
    await plugin('plugin.ts');
    files = [...files, join(folder, 'helper.ts')];
    await load();
    await watch.watching;
    const seen = loaded();
    writeFileSync(join(folder, 'helper.ts'), 'here');
    await seen;
  });

  it('sees a change that comes between the reading and the watching', async () => {
    await plugin('plugin.ts');
    const other = join(folder, 'other.ts');
    writeFileSync(other, 'old');
    const signature = signatureOf(other);
    writeFileSync(other, 'newer');
    const seen = loaded();
    watch.read([{ path: other, signature }]);
    await seen;
    expect(reloads).toEqual([[other]]);
  });

  it('loads again where two workers have read different contents', async () => {
    await plugin('plugin.ts');
    const [file = ''] = files;
    const seen = loaded();
    watch.read([{ path: file, signature: 'what another worker has read' }]);
    watch.read([{ path: file, signature: signatureOf(file) }]);
    await seen;
  });

  it('is called for no data, log, backup, socket or package of the folder', async () => {
    await plugin('plugin.ts');
    mkdirSync(join(folder, 'node_modules', 'p'), { recursive: true });
    mkdirSync(join(folder, 'data'));
    for (const name of [
      'data/db',
      'plugin.ts~',
      '.plugin.ts.swp',
      '4913',
      'a.log',
      'node_modules/p/index.js',
    ]) {
      for (const text of ['a', 'b']) writeFileSync(join(folder, name), text);
    }
    const seen = loaded();
    writeFileSync(join(folder, 'plugin.ts'), 'second');
    await seen;
    expect(reloads).toEqual([[join(folder, 'plugin.ts')]]);
  });

  it.runIf(process.platform === 'linux')(
    'uses a watch for each folder and file that counts, no more (skipped where this is not Linux)',
    async () => {
      for (let index = 0; index < 30; index++)
        mkdirSync(join(folder, 'node_modules', `p${index}`), { recursive: true });
      const before = watches();
      await plugin('plugin.ts', 'lib/helper.ts');
      expect(watches() - before).toBeLessThan(10);
    },
  );
});
