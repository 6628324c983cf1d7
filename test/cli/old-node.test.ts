import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-old-node-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a program under this Node, which says that it is another one. */
function runAs(version: string, program: string) {
  const versions = JSON.stringify({ ...process.versions, node: version });
  const disguise = `Object.defineProperty(process, 'versions', { value: ${versions} });
    Object.defineProperty(process, 'version', { value: 'v${version}' });`;
  const args = ['--import', `data:text/javascript,${encodeURIComponent(disguise)}`, program, '--version'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

it('an old Node is named, with what to do in a project that is no checkout', () => {
  const installed = path.join(folder, 'node_modules', 'kong-ts', 'bin');
  mkdirSync(installed, { recursive: true });
  cpSync(path.join(root, 'bin', 'kong-ts.js'), path.join(installed, 'kong-ts.js'));
  writeFileSync(path.join(installed, '..', 'package.json'), '{ "type": "module" }');
  for (const version of ['18.20.0', '20.20.2', '22.18.0']) {
    const { status, stdout, stderr } = runAs(version, path.join(installed, 'kong-ts.js'));
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`needs Node.js 22.19 or later and was started by v${version}`);
    expect(stderr).toContain('npm install --save-dev node@24');
    expect(stderr).not.toContain('checkout');
  }
});

it('in a checkout npm has the right one; a Node that is new enough runs', () => {
  const program = path.join(root, 'bin', 'kong-ts.js');
  expect(runAs('20.20.2', program).stderr).toContain('In a checkout, run it through npm');
  expect(runAs('22.19.0', program)).toMatchObject({ status: 0, stderr: '' });
});

it('every place names the same oldest Node, which is that of the dependencies', () => {
  const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
  expect(engines.node).toBe('>=22.19');
  const oldest = engines.node.slice(2);
  for (const file of ['bin/kong-ts.js', 'create-kong-ts/lib/write.js', 'create-kong-ts/lib/next-steps.js'])
    expect(read(file), file).toContain(oldest);
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { dev?: boolean; engines?: { node?: string } }>;
  };
  const demanding = Object.entries(packages)
    .filter(([name, { dev }]) => name !== '' && dev !== true)
    .flatMap(([name, { engines: wanted }]) =>
      [...(wanted?.node ?? '').matchAll(/>= ?22\.(\d+)/g)].map((found) => [name, Number(found[1])] as const),
    )
    .filter(([, minor]) => minor > Number(oldest.split('.')[1]));
  expect(demanding).toEqual([]);
});
