import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import { expect, test } from 'vitest';

const project = path.join(import.meta.dirname, '../../../..');
const source = (name: string): string =>
  JSON.stringify(pathToFileURL(path.join(project, 'src/testing/containers', name)).href);

test('a test process that ends early takes the server with it', { timeout: 120_000 }, async () => {
  const script = `
    import { HostPluginServer } from ${source('host-server.ts')};
    import { locatePlugin } from ${source('plugins.ts')};
    const server = new HostPluginServer({ serveOptions: ['--event-hooks', 'off'] }, [await locatePlugin('http-log-enterprise')], 60_000);
    await server.start();
    process.stdout.write(String((await server.status()).pid));
    process.exit(3);`;
  // Its folders lie in here: nobody is left to remove them.
  const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-early-'));
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--conditions=kong-ts-source', '--input-type=module', '-e', script],
    { encoding: 'utf8', timeout: 90_000, env: { ...process.env, TMPDIR: folder } },
  );
  expect(status, stderr).toBe(3);
  const pid = Number(stdout);
  expect(pid).toBeGreaterThan(1);
  await expect.poll(() => runs(pid)).toBe(false);
  // Its workers end a moment after it.
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
