import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { archiveRoot } from '../../../scripts/sandbox-image/archive.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-archive-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the folders of the sandbox image are those of its user, and its data is closed to others', () => {
  const root = path.join(folder, 'root');
  mkdirSync(path.join(root, 'usr/local/bin'), { recursive: true });
  writeFileSync(path.join(root, 'usr/local/bin/kong'), '', { mode: 0o755 });
  const file = path.join(folder, 'root.tar');
  archiveRoot(root, file);
  const listed = execFileSync('tar', ['-tvf', file, '--numeric-owner'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/))
    .map(([mode, owner, , , , name]) => `${String(name)} ${String(mode)} ${String(owner)}`);
  expect(listed.filter((line) => line.startsWith('./usr/local/')).sort()).toEqual([
    './usr/local/ drwxr-xr-x 0/0',
    './usr/local/bin/ drwxr-xr-x 0/0',
    './usr/local/bin/kong -rwxr-xr-x 0/0',
    './usr/local/kong-ts/ drwxr-xr-x 1000/0',
    './usr/local/kong-ts/data/ drwx------ 1000/0',
    './usr/local/kong-ts/plugins/ drwxr-xr-x 1000/0',
    './usr/local/kong/ drwxr-xr-x 1000/0',
  ]);
});
