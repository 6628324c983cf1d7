import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const cli = fileURLToPath(new URL('../../../bin/kong-ts.js', import.meta.url));

it('its dump, which Kong asks for at each start, reads nothing that sends', async () => {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [cli, 'dump', 'http-log-enterprise'],
    { env: { ...process.env, NODE_DEBUG: 'module' }, maxBuffer: 64 * 1024 * 1024 },
  );
  expect(stdout).toContain('http_endpoint');
  // What Node says of the modules that it reads.
  expect(stderr).toMatch(/MODULE \d+: load/);
  expect(stderr).not.toContain('node_modules/undici');
});
