import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launchOf } from '../../../src/event-hooks/serve/launch.ts';
import { parseServeOptions } from '../../../src/event-hooks/serve/options.ts';
import { readSecret, secrets } from '../../../src/base/secrets.ts';
import { createCallbackLog } from '../../../src/server/log/server-log.ts';
import { checkSecrets, hasNginxEnvironment } from '../../../src/server/nginx.ts';
import { compileServerOptions } from '../../../src/server/options.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kts-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('a secret', () => {
  it('comes from the file of its flag, its variable, or the file of its other variable', () => {
    const flagged = file('flagged', 'one\n');
    const named = file('named', 'three\r\n');
    const environment = { KONG_TS_ADMIN_TOKEN: 'two', KONG_TS_ADMIN_TOKEN_FILE: named };
    expect(readSecret(secrets.adminToken, flagged, environment)).toBe('one');
    expect(readSecret(secrets.adminToken, undefined, environment)).toBe('two');
    expect(readSecret(secrets.adminToken, undefined, { ...environment, KONG_TS_ADMIN_TOKEN: '' })).toBe(
      'three',
    );
    expect(readSecret(secrets.adminToken, undefined, {})).toBe(null);
  });

  it.each([
    ['is not there', () => join(folder, 'none'), 'cannot be read'],
    ['is empty', () => file('empty', '\n'), 'is empty'],
    ['has two lines', () => file('two', 'a\nb\n'), 'more than one line'],
    ['is large', () => file('large', 'a'.repeat(70_000)), 'larger than 64 KiB'],
    ['is a folder', () => (mkdirSync(join(folder, 'd')), join(folder, 'd')), 'not a regular file'],
    [
      'is a pipe',
      () => {
        execFileSync('mkfifo', [join(folder, 'p')]);
        return join(folder, 'p');
      },
      'not a regular file',
    ],
  ])('is refused, with the flag that named it, when its file %s', (_name, make, why) => {
    const path = make();
    const reading = () => readSecret(secrets.adminToken, path, {});
    expect(reading).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }) as Error);
    expect(reading).toThrow(why);
    expect(reading).toThrow('--token-file');
  });

  it('reaches hooks serve from files, each under its own flag', () => {
    const options = parseServeOptions(
      [
        ...['--token-file', file('a', 'admin\n'), '--hooks-token-file', file('h', 'hooks\n')],
        ...['--kong-admin', 'http://127.0.0.1:8001', '--kong-admin-token-file', file('k', 'kong\n')],
      ],
      { KONG_TS_ADMIN_TOKEN: 'another' },
    );
    expect([options.adminToken, options.token, options.kong?.token]).toEqual(['admin', 'hooks', 'kong']);
  });
});

describe('a server that nginx has started', () => {
  const nginx = { PWD: '/', TZ: 'UTC' };
  const check = (admin: string, environment: Record<string, string>, more: object = {}): string[] => {
    const lines: string[] = [];
    const log = createCallbackLog('warn', (_level, _fields, message) => lines.push(message));
    const dispatcher = launchOf({ 'event-hooks-admin': admin, ...more }, { environment });
    const options = { plugins: ['p'], socket: '/s', dispatcher };
    checkSecrets(compileServerOptions(options), environment, log);
    return lines;
  };

  it('is known by its environment', () => {
    expect([nginx, { ...nginx, KONG_TS_ADMIN_TOKEN: 't' }, {}].map(hasNginxEnvironment)).toEqual([
      true,
      true,
      true,
    ]);
    expect(hasNginxEnvironment({ PATH: '/bin' })).toBe(false);
  });

  it.each(['0.0.0.0:8011', '[::]:8011', '10.0.0.1:8011', 'localhost.evil:8011'])(
    'refuses an Admin API on %s without a token',
    (admin) => {
      expect(() => check(admin, nginx)).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
      expect(() => check(admin, nginx)).toThrow('nginx_main_env = KONG_TS_ADMIN_TOKEN');
      expect(check(admin, { ...nginx, KONG_TS_ADMIN_TOKEN: 't' })).toEqual([]);
      expect(check(admin, nginx, { 'token-file': file('t', 'token') })).toEqual([]);
    },
  );

  it('refuses an Admin API whose address is none, before anything starts', () => {
    expect(() => check('8011', nginx)).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
    expect(() => check('8011', { PATH: '/bin' })).toThrow('"8011" is not an address');
  });

  it('is warned of one on loopback, and of none where there is none', () => {
    for (const admin of ['127.0.0.1:8011', '[::1]:8011', 'localhost:8011'])
      expect(check(admin, nginx)).toEqual([expect.stringContaining('has no token')]);
    expect([...check('off', nginx), ...check('unix:/s', nginx)]).toEqual([]);
    expect(check('127.0.0.1:8011', { PATH: '/bin', HOME: '/' })).toEqual([]);
  });
});
