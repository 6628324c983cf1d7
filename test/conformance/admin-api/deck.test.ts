import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAdmin } from '../../unit/sandbox/admin/setup.ts';
import type { Admin } from '../../unit/sandbox/admin/setup.ts';

const deck = process.env['DECK'] ?? 'deck';

function hasDeck(): boolean {
  try {
    execFileSync(deck, ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const configuration = `
_format_version: "1.1"
services:
- name: s1
  host: example.com
  tags: [team]
  routes: [{ name: r1, paths: [/a] }]
  plugins: [{ name: demo, config: { flag: true } }]
consumers:
- username: alice
  keyauth_credentials: [{ key: k1 }]
upstreams:
- name: up.local
  targets: [{ target: "127.0.0.1:8080" }]
plugins:
- name: key-auth
`;

describe.skipIf(!hasDeck())("decK (skipped where the machine has no 'deck')", () => {
  let admin: Admin;
  let dir: string;
  beforeAll(async () => {
    admin = await startAdmin({ workspaces: true });
    dir = mkdtempSync(join(tmpdir(), 'deck-'));
    writeFileSync(join(dir, 'kong.yml'), configuration);
    writeFileSync(join(dir, 'empty.yml'), '_format_version: "1.1"\n');
  });
  afterAll(async () => {
    await admin.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const run = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(deck, [...args, '--kong-addr', admin.url], { cwd: dir });
    return stdout;
  };

  test('pings, syncs a file and takes it away again', async () => {
    expect(await run('ping')).toContain('Successfully connected to Kong');
    expect(await run('sync', '-s', 'kong.yml')).toMatch(/Created: 8/);
    const { services, routes, consumers, keyauthCredentials, targets, plugins } = admin.store.snapshot();
    expect([services, routes, consumers, keyauthCredentials, targets].map((list) => list.length)).toEqual([
      1, 1, 1, 1, 1,
    ]);
    expect(plugins.map(({ name }) => name).sort()).toEqual(['demo', 'key-auth']);
    expect(await run('sync', '-s', 'empty.yml')).toMatch(/Deleted: 8/);
    expect(admin.store.snapshot()).toMatchObject({ services: [], routes: [], plugins: [], upstreams: [] });
  });

  test('makes a workspace and syncs into it', async () => {
    expect(await run('sync', '-s', 'kong.yml', '--workspace', 'team-a')).toMatch(/creating workspace team-a/);
    expect((await admin.call('GET', '/team-a/services')).body['data']).toHaveLength(1);
    expect((await admin.call('GET', '/services')).body['data']).toHaveLength(0);
  });
});
