import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** `kong` in Kong's image. */
const user = 1000;
/** What is that user's, as in docker/sandbox.Dockerfile; what plugins keep is nobody else's to read. */
const ownFolders = [
  { path: './usr/local/kong', mode: 0o755 },
  { path: './usr/local/kong-ts', mode: 0o755 },
  { path: './usr/local/kong-ts/plugins', mode: 0o755 },
  { path: './usr/local/kong-ts/data', mode: 0o700 },
];

/**
 * Packs a root file system as a tar: all of it is root's but the folders that Kong's user writes to. Owners are written
 * into the archive, so nobody has to be root to make one.
 */
export function archiveRoot(root: string, file: string): void {
  for (const { path, mode } of ownFolders) {
    mkdirSync(join(root, path), { recursive: true });
    chmodSync(join(root, path), mode);
  }
  const paths = ownFolders.map(({ path }) => path);
  const tar = (...options: string[]): void => {
    execFileSync('tar', ['-C', root, '--numeric-owner', '--group=0', ...options], { stdio: 'inherit' });
  };
  const without = paths.map((path) => `--exclude=${path}`);
  tar('--owner=0', '--anchored', ...without, '-cf', file, '.');
  tar(`--owner=${String(user)}`, '--no-recursion', '-rf', file, ...paths);
}
