/**
 * Builds the image `kong-ts-sandbox` without a registry: a root file system with Node, a shell and the libraries of
 * this machine (Linux with glibc) is imported into the Docker engine. `docker/sandbox.Dockerfile` builds the same
 * where a registry can be reached; its last stage is read here for everything that is not a file.
 *
 *   node scripts/build-sandbox-image.ts [--tag kong-ts-sandbox]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { archiveRoot } from './sandbox-image/archive.ts';
import { imageChanges } from './sandbox-image/dockerfile.ts';
import { layOutRoot } from './sandbox-image/root.ts';

const { values } = parseArgs({
  options: { tag: { type: 'string', default: 'kong-ts-sandbox' } },
});
const project = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'kong-ts-image-'));
const root = join(folder, 'root');
const archive = join(folder, 'root.tar');
try {
  mkdirSync(root);
  layOutRoot({ project, root });
  archiveRoot(root, archive);
  const changes = imageChanges(readFileSync(join(project, 'docker/sandbox.Dockerfile'), 'utf8'));
  const options = changes.flatMap((change) => ['--change', change]);
  execFileSync('docker', ['import', ...options, archive, values.tag], { stdio: ['ignore', 2, 'inherit'] });
  process.stderr.write(`${values.tag} is there.\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
