import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface RootOptions {
  /** The checkout. */
  readonly project: string;
  /** An empty folder. */
  readonly root: string;
}

/** What the scripts in the image and people who look around in it need. */
const tools = ['sh', 'cat', 'ls', 'mkdir', 'rm', 'mv', 'cp', 'sleep', 'env', 'id', 'grep'];

/** Lays out the image's files as docker/sandbox.Dockerfile does, taken from this machine. */
export function layOutRoot({ project, root }: RootOptions): void {
  const at = (path: string): string => join(root, path);
  for (const folder of ['etc', 'tmp', 'proc', 'sys', 'dev', 'usr/local/bin', 'bin'])
    mkdirSync(at(folder), { recursive: true });
  chmodSync(root, 0o755);
  chmodSync(at('tmp'), 0o1777);
  writeFileSync(
    at('etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nkong:x:1000:1000::/usr/local/kong:/bin/sh\n',
  );
  writeFileSync(at('etc/group'), 'root:x:0:\nkong:x:1000:\n');
  writeFileSync(at('etc/nsswitch.conf'), 'hosts: files dns\n');

  program(process.execPath, at('usr/local/bin/node'), root);
  layOutTools(tools, root);
  packageInto(project, at('usr/local/lib/kong-ts/node_modules'));
  copy(join(project, 'docker/kong-ts.sh'), at('usr/local/bin/kong-ts'), 0o755);
  copy(join(project, 'docker/sandbox/kong'), at('usr/local/bin/kong'), 0o755);
  copy(join(project, 'docker/sandbox/health.mjs'), at('usr/local/lib/kong-ts/sandbox-health.mjs'), 0o644);
}

/** Programs of this machine, in /bin, with their libraries. */
export function layOutTools(names: readonly string[], root: string): void {
  for (const name of names) program(pathOf(name), join(root, 'bin', name), root);
}

/** The package and what it depends on at run time, side by side as npm installs them. */
function packageInto(project: string, modules: string): void {
  const own = join(modules, 'kong-ts');
  for (const part of ['bin', 'proto', 'package.json'])
    cpSync(join(project, part), join(own, part), { recursive: true, dereference: true });
  // As npm gets it: Node strips no types below node_modules.
  execFileSync(
    join(project, 'node_modules/.bin/tsc'),
    [
      '-p',
      'tsconfig.build.json',
      '--noCheck',
      '--declaration',
      'false',
      '--sourceMap',
      'false',
      '--outDir',
      join(own, 'dist'),
    ],
    { cwd: project, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  for (const path of productionPackages(join(project, 'package-lock.json'))) {
    const from = join(project, path);
    if (!existsSync(from)) continue; // a variant for another platform
    cpSync(from, join(modules, path.slice('node_modules/'.length)), {
      recursive: true,
      filter: (source) =>
        !/\.(?:map|md|markdown)$|\.d\.[cm]?ts$/.test(source) || source.includes('/template'),
    });
  }
}

/** Paths (`node_modules/...`) of everything that is not for development only. */
function productionPackages(lockfile: string): string[] {
  const { packages } = JSON.parse(readFileSync(lockfile, 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
  };
  const wanted = Object.entries(packages).filter(
    ([path, entry]) => path.startsWith('node_modules/') && entry.dev !== true && entry.devOptional !== true,
  );
  // Nested ones come with the package that they lie in.
  return wanted.map(([path]) => path).filter((path) => path.lastIndexOf('node_modules/') === 0);
}

/** A program with the libraries that it is linked to. */
function program(file: string, target: string, root: string): void {
  copy(file, target, 0o755);
  if (readFileSync(file).subarray(0, 2).toString() === '#!') return;
  const listing = libraries(file);
  for (const [, library = ''] of listing.matchAll(/(\/\S+) \(0x/g)) {
    const there = join(root, library);
    if (!existsSync(there)) copy(library, there, 0o755);
  }
}

/** What ldd says; nothing for a program that is not linked to anything. */
function libraries(file: string): string {
  try {
    return execFileSync('ldd', [file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

function pathOf(tool: string): string {
  for (const folder of ['/bin', '/usr/bin', '/sbin', '/usr/sbin'])
    if (existsSync(`${folder}/${tool}`)) return `${folder}/${tool}`;
  throw new Error(`This machine has no ${tool}.`);
}

function copy(from: string, to: string, mode: number): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  chmodSync(to, mode);
}
