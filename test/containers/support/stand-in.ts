import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { layOutTools } from '../../../scripts/sandbox-image/root.ts';

export const project = path.join(import.meta.dirname, '../../..');

/** What the RUN lines of the Dockerfiles call, beyond what the sandbox image has. */
const buildTools = ['bash', 'chown', 'chmod', 'ldd', 'ldconfig', 'tar', 'gzip'];

/** npm in a place where no registry can be reached: the package is installed already, and packed as it lies there. */
const npm = `#!/bin/sh
[ "$1" = pack ] || exit 0
[ "$2" = --pack-destination ] || exit 2
exec tar -czf "$3/kong-ts-0.0.0.tgz" --transform 's,^kong-ts,package,' -C /usr/local/lib/kong-ts/node_modules kong-ts
`;

/**
 * An image that stands for `node:24` and for Kong's image alike where no registry can be reached: the sandbox image, the
 * tools of a build, and an npm that has little to do.
 * @param more further lines of its Dockerfile
 */
export function buildStandIn(tag: string, sandboxImage: string, more: readonly string[] = []): void {
  const root = mkdtempSync(path.join(tmpdir(), 'kong-ts-stand-in-'));
  try {
    layOutTools(buildTools, path.join(root, 'files'));
    mkdirSync(path.join(root, 'files/usr/local/bin'), { recursive: true });
    writeFileSync(path.join(root, 'files/usr/local/bin/npm'), npm, { mode: 0o755 });
    // Only what Kong's image and Node's have, too: a check of Kong's health is the sandbox's.
    const lines = [`FROM ${sandboxImage}`, 'USER root', 'HEALTHCHECK NONE', 'COPY files /', ...more];
    writeFileSync(path.join(root, 'Dockerfile'), `${lines.join('\n')}\n`);
    docker(['build', '-q', '-t', tag, root]);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Builds one of the Dockerfiles from the checkout. */
export function build(dockerfile: string, tag: string, args: Record<string, string>): void {
  const options = Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
  docker(['build', '-q', '-f', `docker/${dockerfile}`, '-t', tag, ...options, '.']);
}

/**
 * What building in the tests leaves: images named `kong-ts-test-...`, and those without a name of earlier stages. They go
 * when all tests are over: two files may build the same image, and one that goes takes the layers of the other with it.
 */
export const builtImages = (): string[] =>
  ['reference=kong-ts-test-*', 'dangling=true'].flatMap((filter) =>
    docker(['images', '-q', '--filter', filter]).split('\n').filter(Boolean),
  );

/** Runs docker, without BuildKit: it is not everywhere. */
export function docker(args: readonly string[]): string {
  return execFileSync('docker', args, {
    cwd: project,
    encoding: 'utf8',
    env: { ...process.env, DOCKER_BUILDKIT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
