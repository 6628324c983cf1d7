import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The tarballs of both packages. */
    tarballs: { readonly kongTs: string; readonly create: string };
  }
}

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Packs both packages as they would be published; the build has to be there. */
export default function setup(project: TestProject): () => void {
  if (!existsSync(path.join(root, 'dist'))) throw new Error('There is no build: npm run build');
  const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-packed-'));
  const pack = (from: string): string => {
    const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
    execFileSync('npm', args, { cwd: from, stdio: ['ignore', 'ignore', 'inherit'] });
    const name = path.basename(from) === 'create-kong-ts' ? /^create-kong-ts-/ : /^kong-ts-/;
    return path.join(folder, readdirSync(folder).find((file) => name.test(file)) ?? '');
  };
  project.provide('tarballs', { kongTs: pack(root), create: pack(path.join(root, 'create-kong-ts')) });
  return () => {
    rmSync(folder, { recursive: true, force: true });
  };
}
