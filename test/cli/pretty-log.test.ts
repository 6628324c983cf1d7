import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { prettyLog } from '../../src/cli/pretty-log.ts';
import { freePort } from '../support/free-port.ts';
import { cliPath } from '../support/run-cli.ts';
import { until } from '../support/until.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-pretty-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What a command has printed once it has printed this; then it is ended. */
async function printed(args: readonly string[], awaited: string): Promise<string> {
  const child = spawn(process.execPath, [cliPath, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  await until(awaited, () => {
    if (child.exitCode !== null) throw new Error(output);
    return output.includes(awaited) ? true : null;
  });
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
  return output;
}

it('hooks serve has lines for people, or for programs', async () => {
  const serve = ['hooks', 'serve', '--listen', `unix:${path.join(folder, 's')}`, '--log-format'];
  const pretty = await printed([...serve, 'pretty'], 'event hooks are served');
  expect(pretty).toMatch(/^\d\d:\d\d:\d\d notice event hooks are served .*grpc=unix:/m);
  expect(pretty).not.toContain('{"');
  expect(await printed([...serve, 'json'], 'ready')).toMatch(/^\{"ready":true,/);
});

it("sandbox has lines for people, or those of Kong's error log", async () => {
  const config = path.join(folder, 'kong.yml');
  writeFileSync(config, "_format_version: '3.0'\nplugins: [{name: cors}]\n");
  const listen = ['--proxy-listen', `127.0.0.1:${String(await freePort())}`, '--admin-listen', 'off'];
  const sandbox = ['sandbox', '--config', config, ...listen, '--log-format'];
  expect(await printed([...sandbox, 'pretty'], 'proxy  ')).toMatch(
    /^\d\d:\d\d:\d\d warn +\[sandbox\].*cors/m,
  );
  expect(await printed([...sandbox, 'nginx'], 'proxy  ')).toMatch(
    /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[warn\] \[sandbox\].*cors/m,
  );
});

it('a terminal gets lines for people without asking', () => {
  const stream = (isTTY: boolean) =>
    Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream;
  expect(prettyLog(undefined, stream(false))).toBeNull();
  expect(prettyLog('json', stream(true))).toBeNull();
  expect(prettyLog(undefined, stream(true))).not.toBeNull();
});
