import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kongAdminOf } from '../../../src/cli/kong-admin-options.ts';
import { runCli } from '../../support/run-cli.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kong-ts-secret-flags-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const fileWith = (text: string): string => {
  const file = path.join(folder, `secret-${String(text.length)}`);
  writeFileSync(file, text);
  return file;
};

/** Every command and subcommand with its options. */
async function commands(): Promise<Command[]> {
  const source = path.join(import.meta.dirname, '../../../src/cli');
  const found: Command[] = [];
  const visit = (command: Command): void => {
    found.push(command);
    command.commands.forEach(visit);
  };
  for (const name of readdirSync(source).filter((each) => each.endsWith('.ts'))) {
    if (name === 'main.ts') continue;
    const module = (await import(path.join(source, name))) as { build?: () => Command };
    if (module.build !== undefined) visit(module.build());
  }
  return found;
}

it('every flag that takes a secret, or a URL with a login in it, has a flag for a file beside it', async () => {
  const all = await commands();
  expect(all.length).toBeGreaterThan(12);
  const checked: string[] = [];
  for (const command of all) {
    const flags = command.options.map((option) => option.long ?? '');
    for (const option of command.options) {
      const flag = option.long ?? '';
      const secret = /token|password|secret/.test(flag) && option.required && !flag.endsWith('-file');
      if (!secret && !/^--(kong-admin|admin-url)$/.test(flag)) continue;
      checked.push(`${command.name()} ${flag}`);
      expect(flags, `${command.name()} ${flag}`).toContain(`${flag}-file`);
    }
  }
  expect(checked).toEqual(
    expect.arrayContaining([
      'doctor --admin-url',
      'doctor --token',
      'enable --admin-url',
      'enable --token',
      'hooks --token',
      'serve --kong-admin',
      'serve --kong-admin-token',
    ]),
  );
});

describe('where Kong’s Admin API is', () => {
  it('comes from the flag, else from its file, else from the environment, else from the file named there', () => {
    const file = fileWith('http://user:pass@127.0.0.1:1\n');
    const urlOf = (options: object, environment = {}) => kongAdminOf(options, environment)?.url;
    const flag = 'http://127.0.0.1:2';
    const environment = { KONG_TS_KONG_ADMIN: 'http://127.0.0.1:3', KONG_TS_KONG_ADMIN_FILE: file };
    expect(urlOf({ adminUrl: flag, adminUrlFile: file }, environment)).toContain(':2');
    expect(urlOf({ adminUrlFile: file }, environment)).toContain('127.0.0.1:1');
    expect(urlOf({}, environment)).toContain(':3');
    expect(urlOf({}, { KONG_TS_KONG_ADMIN_FILE: file })).toContain('127.0.0.1:1');
    expect(kongAdminOf({}, {})).toBeNull();
    // What is printed of it holds no login.
    expect(urlOf({ adminUrlFile: file })).not.toContain('pass');
  });

  it('a file that cannot be read is named with its flag', () => {
    const options = { adminUrl: 'http://127.0.0.1:2', tokenFile: path.join(folder, 'none') };
    expect(() => kongAdminOf(options, {})).toThrow(/none \(--token-file\) cannot be read/);
    expect(() => kongAdminOf({ adminUrlFile: folder }, {})).toThrow(/--admin-url-file/);
  });
});

describe('an Admin API that asks for a token', () => {
  let server: Server;
  let url: string;
  const tokens: (string | undefined)[] = [];
  beforeEach(async () => {
    tokens.length = 0;
    server = createServer((request, response) => {
      tokens.push(request.headers['kong-admin-token'] as string | undefined);
      const known = tokens.at(-1) === 'the token';
      response.writeHead(known ? 404 : 401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message: known ? 'Not found' : 'Unauthorized' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  it.each([
    ['doctor', ['doctor', '--env-file', '/dev/null']],
    ['enable', ['enable', 'demo']],
  ])('%s has it from a file, which the environment can name', async (_name, args) => {
    const file = fileWith('the token\n');
    const env = { KONG_ADMIN_TOKEN: '', KONG_ADMIN_TOKEN_FILE: '' };
    const refused = await runCli([...args, '--admin-url', url], { env });
    expect(refused.stdout + refused.stderr).toMatch(/401|Unauthorized/);
    expect(new Set(tokens.splice(0))).toEqual(new Set([undefined]));
    await runCli([...args, '--admin-url-file', fileWith(url), '--token-file', file], { env });
    expect(new Set(tokens.splice(0))).toEqual(new Set(['the token']));
    await runCli([...args, '--admin-url', url], { env: { ...env, KONG_ADMIN_TOKEN_FILE: file } });
    expect(new Set(tokens)).toEqual(new Set(['the token']));
  });

  it('enable without a place says which flags name it', async () => {
    const { status, stderr } = await runCli(['enable', 'demo'], {
      env: { KONG_TS_KONG_ADMIN: '', KONG_TS_KONG_ADMIN_FILE: '' },
    });
    expect([status, stderr]).toEqual([2, expect.stringContaining('--admin-url-file')]);
  });
});
