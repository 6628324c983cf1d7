import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A folder as a user has it: an ES package with kong-ts and vitest installed (links to this checkout). */
export function userFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-user-'));
  const modules = path.join(folder, 'node_modules');
  mkdirSync(modules);
  symlinkSync(root, path.join(modules, 'kong-ts'));
  symlinkSync(path.join(root, 'node_modules', 'vitest'), path.join(modules, 'vitest'));
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  // The checkout has sources only; an installed package needs no configuration.
  const conditions = "['kong-ts-source', 'node', 'import', 'module', 'default']";
  writeFileSync(
    path.join(folder, 'vitest.config.js'),
    `export default { ssr: { resolve: { conditions: ${conditions} } } };\n`,
  );
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs a test runner there; resolves with its exit status and what it printed. */
export function run(
  folder: string,
  command: readonly string[],
): Promise<{ status: number | null; output: string }> {
  const own = /^(VITEST|NODE_TEST|NODE_OPTIONS|TEST$|VITE_)/;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=kong-ts-source', ...command], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 200_000,
      killSignal: 'SIGKILL',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, output }));
  });
}

/** The program of vitest, for `run`. */
export const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
