import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { cliPath } from '../../support/run-cli.ts';

/** Ends what is left of a child and its children. */
function endGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL');
  } catch {
    // Nothing is left.
  }
}

/** Runs a line of shell as a child of a program that is called nginx; what it printed, and its exit status. */
async function underNginx(
  line: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ code: number; said: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-nginx-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const nginx = path.join(folder, 'nginx');
  copyFileSync('/bin/sh', nginx);
  // The last `:` keeps the shell: it would become its last command.
  const child = spawn(nginx, ['-c', `${line}; code=$?; exit $code`], {
    env: environment,
    cwd: folder,
    detached: true,
  });
  onTestFinished(() => void endGroup(child.pid));
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (said += String(data)));
  const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? -1)));
  return { code, said };
}

it.runIf(process.platform === 'linux').each([
  ['as nginx starts it', ''],
  ['by a script that waits for it', '/bin/sh -c \'"$0" "$@"; exit $?\' '],
])(
  'a server below nginx opens no Admin API beyond loopback without a token, whatever else is passed on: %s (skipped where this is not Linux)',
  async (_what, script) => {
    const serve = `${process.execPath} ${cliPath} serve x.ts --socket k.socket --event-hooks-admin 0.0.0.0:1`;
    const { code, said } = await underNginx(`${script}${serve}`, { PATH: '/usr/bin:/bin', HOME: '/root' });
    expect(said).toContain('would be open to the network without a token: this server was started by nginx');
    expect(code).toBe(2);
  },
);

it.each([
  ['an Admin API that is open', '--event-hooks-admin 0.0.0.0:1', 'would be open to the network', 2],
  ['a file that is not there', '--event-hooks-admin 127.0.0.1:1 --token-file /no/token', '/no/token', 1],
])('--check refuses what the server refuses: %s', async (_what, flags, part, status) => {
  const serve = `${process.execPath} ${cliPath} serve x.ts --socket k.socket ${flags}`;
  // Nothing but PWD, as nginx gives it.
  for (const command of [serve, `${serve} --check`]) {
    const { code, said } = await underNginx(command, { PWD: '/' });
    expect([code, said]).toEqual([status, expect.stringContaining(part)]);
  }
});
