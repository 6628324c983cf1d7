/**
 * Builds the image `kong-ts-sandbox` without a registry: a root file system with Node, a shell and the libraries of
 * this machine (Linux with glibc) is imported into the Docker engine. `docker/sandbox.Dockerfile` builds the same
 * where a registry can be reached; its last stage is read here for everything that is not a file.
 *
 *   node scripts/build-sandbox-image.ts [--tag kong-ts-sandbox]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { imageChanges } from './sandbox-image/dockerfile.ts';
import { layOutRoot } from './sandbox-image/root.ts';

const { values } = parseArgs({
  options: { tag: { type: 'string', default: 'kong-ts-sandbox' } },
});
const project = join(import.meta.dirname, '..');
const root = mkdtempSync(join(tmpdir(), 'kong-ts-image-'));
try {
  layOutRoot({ project, root });
  const changes = imageChanges(readFileSync(join(project, 'docker/sandbox.Dockerfile'), 'utf8'));
  await importImage(
    values.tag,
    changes.flatMap((change) => ['--change', change]),
  );
} finally {
  rmSync(root, { recursive: true, force: true });
}

async function importImage(tag: string, options: readonly string[]): Promise<void> {
  // Kong's prefix and the plugin folders belong to uid 1000, as in Kong's own image; all else to root.
  const tar = spawn('tar', ['-C', root, '--numeric-owner', '--owner=0', '--group=0', '-c', '.'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const docker = spawn('docker', ['import', ...options, '-', tag], { stdio: ['pipe', 'pipe', 'inherit'] });
  docker.stdout.pipe(process.stderr);
  const status = new Promise<number | null>((resolve, reject) => {
    docker.once('error', reject);
    docker.once('close', resolve);
  });
  // An import that the engine refuses closes the pipe early; its status tells more than the broken pipe.
  const [sent, code] = await Promise.all([
    pipeline(tar.stdout, docker.stdin).then(
      () => null,
      (error: unknown) => error,
    ),
    status,
  ]);
  if (code !== 0 || sent !== null)
    throw new Error(`docker import ended with status ${String(code)}.`, { cause: sent });
  process.stderr.write(`${tag} is there.\n`);
}
