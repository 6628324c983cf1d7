import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import { build as buildHooks } from '../../../../src/cli/hooks.ts';
import { build as buildServe } from '../../../../src/cli/serve.ts';
import { flagName, flags, helpText } from '../../../../src/event-hooks/serve/flags.ts';
import type { Flag } from '../../../../src/event-hooks/serve/flags.ts';
import { grpcToken, launchOf, readLaunch } from '../../../../src/event-hooks/serve/launch.ts';
import { parseServeOptions } from '../../../../src/event-hooks/serve/options.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kong-ts-launch-'));
  writeFileSync(join(folder, 'secret'), 'from a file\n');
  writeFileSync(join(folder, 'other'), 'another\n');
  writeFileSync(join(folder, 'url'), 'http://me:word@127.0.0.1:3\n');
  return () => {
    rmSync(folder, { recursive: true, force: true });
  };
});

/** A value that is not the default, for each flag of `kong-ts serve`. */
const values: Record<string, unknown> = {
  'event-hooks-admin': '127.0.0.1:9',
  'allow-host': ['Kong.Example', 'other'],
  'event-hooks-payload-view': 'admin',
  'event-hooks-store': 'sqlite:/data',
  'event-hooks-synchronous': 'full',
  'event-hooks-retry-schedule': '1,2',
  'event-hooks-timeout': '3',
  'event-hooks-target-concurrency': '4',
  'event-hooks-target-rate': '5',
  'event-hooks-record-days': '6',
  'event-hooks-record-count': '7',
  'event-hooks-allow': ['loopback', 'private'],
  'kong-admin': 'http://127.0.0.1:1',
  'kong-admin-token': 'kong-token',
  'crud-interval': ['2', 'consumers=30'],
  'crud-secrets': true,
  'lend-kong-login': true,
};
const files = [
  'event-hooks-store-password-file',
  'token-file',
  'read-token-file',
  'hooks-token-file',
  'kong-admin-token-file',
  'kong-admin-file',
];
const inServer = flags.filter((row) => flagName(row, 'serve') !== null);

/** The options of a command that is built from the rows. */
const optionsOf = (command: Command | undefined): Map<string, string> =>
  new Map((command?.options ?? []).map(({ long, description }) => [(long ?? '').slice(2), description]));

describe('a row of the dispatcher’s options', () => {
  it('is a flag of both commands, with its help and its default', () => {
    const hooksServe = optionsOf(buildHooks().commands.find((one) => one.name() === 'serve'));
    const serve = optionsOf(buildServe());
    for (const row of flags) {
      expect(hooksServe.get(row.name), row.name).toBe(helpText(row, 'hooks serve'));
      const name = flagName(row, 'serve');
      if (name !== null && typeof row.inServer !== 'object')
        expect(serve.get(name), name).toBe(helpText(row, 'serve'));
    }
    expect(hooksServe.get('timeout')).toBe('seconds for one attempt (default 15)');
    expect(hooksServe.get('admin')).toContain('(default 127.0.0.1:8011)');
    expect(serve.get('event-hooks-admin')).toContain('(default off)');
  });

  it.each(inServer.map((row): [string, Flag] => [row.name, row]))(
    '--%s comes through a plugin server as it was given to the dispatcher itself',
    (name, row) => {
      const flag = flagName(row, 'serve') ?? '';
      const value = files.includes(flag)
        ? join(folder, flag === 'kong-admin-file' ? 'url' : 'secret')
        : values[flag];
      expect(value, `a value for --${flag} in this test`).toBeDefined();
      const needsKong = /^(kong|crud|lend)/.test(name) && !name.startsWith('kong-admin');
      const kong = { 'kong-admin': 'http://127.0.0.1:1' };
      const more: Record<string, string> =
        flag === 'read-token-file'
          ? { 'token-file': join(folder, 'other') }
          : needsKong || name.startsWith('kong-admin-token')
            ? kong
            : {};
      const launch = launchOf({ ...more, [flag]: value }, { environment: {} });
      const through = readLaunch(launch, {});
      const given =
        row.type === 'switch' ? [`--${name}`] : [value].flat().flatMap((one) => [`--${name}`, String(one)]);
      const words = Object.entries<string>(more).flatMap(([key, url]) => [`--${key}`, url]);
      const range =
        name.startsWith('allow-') && name !== 'allow-host' ? ['--allow-loopback', '--allow-private'] : given;
      const admin = name === 'admin' ? [] : ['--admin', 'off'];
      expect(through).toEqual(parseServeOptions([...words, ...admin, ...range], {}, 'serve'));
      expect(through).not.toEqual(readLaunch(launchOf(more, { environment: {} }), {}));
    },
  );

  it('that is a secret stands in no word', () => {
    const launch = launchOf(
      { 'kong-admin': 'http://me:pass-word@127.0.0.1:1', 'kong-admin-token': 'kong-token' },
      { environment: {} },
    );
    expect(JSON.stringify(launch.words)).not.toMatch(/pass-word|kong-token/);
    const store = 'postgres://me:pass-word@127.0.0.1/kong';
    const stored = launchOf({ 'event-hooks-store': store }, { environment: {}, dataDir: '/srv' });
    expect(JSON.stringify(stored.words)).not.toContain('pass-word');
    expect(readLaunch(stored, {}).dispatcher.store).toBe(store);
    expect(readLaunch(launch, {}).kong).toMatchObject({
      url: 'http://me:pass-word@127.0.0.1:1',
      token: 'kong-token',
    });
  });
});

describe('the list that a plugin server passes on', () => {
  it.each([
    [{ 'event-hooks-timeout': 'soon' }, /^--event-hooks-timeout needs a number/],
    [{ 'event-hooks-retry-schedule': '1,x' }, /^--event-hooks-retry-schedule needs seconds/],
    [{ 'event-hooks-synchronous': 'half' }, /^--event-hooks-synchronous is normal or full/],
    [{ 'event-hooks-payload-view': 'some' }, /^--event-hooks-payload-view is all, admin or none/],
    [{ 'event-hooks-admin': 'here' }, /"here" is not an address/],
    [{ 'crud-secrets': true }, /^--crud-secrets needs --kong-admin/],
    [{ 'crud-interval': ['often'], 'kong-admin': 'http://h' }, /^--crud-interval needs seconds/],
    [{ 'token-file': '/nowhere' }, /--token-file\) cannot be read/],
  ])('is refused before anything starts, by the name of the flag: %j', (given, message) => {
    expect(() => launchOf(given, { environment: {} })).toThrow(message);
  });

  it('keeps data below the server’s folder, unless a store is named', () => {
    const storeOf = (given: object, environment = {}) =>
      readLaunch(launchOf({ ...given }, { environment, dataDir: '/srv' }), environment).dispatcher.store;
    expect(storeOf({})).toBe('sqlite:/srv/event-hooks');
    expect(storeOf({ 'event-hooks-store': 'memory:' })).toBe('memory:');
    expect(storeOf({}, { KONG_TS_HOOKS_STORE: 'sqlite:/elsewhere' })).toBe('sqlite:/elsewhere');
    expect(launchOf({}, { environment: {} }).words).toEqual(['--admin', 'off']);
  });

  it('takes a URL on the command line before a file with one, and a file before the environment', () => {
    const environment = { KONG_TS_KONG_ADMIN: 'http://127.0.0.1:5' };
    const urlOf = (given: object, when: 'auto' | 'off' = 'auto') =>
      readLaunch(launchOf({ ...given }, { environment, when }), environment).kong?.url;
    const file = { 'kong-admin-file': join(folder, 'url') };
    expect(urlOf({ ...file, 'kong-admin': 'http://127.0.0.1:4' })).toBe('http://127.0.0.1:4');
    expect(urlOf(file)).toBe('http://me:word@127.0.0.1:3');
    expect(urlOf({})).toBe('http://127.0.0.1:5');
    // A variable is not an order.
    expect(urlOf({}, 'off')).toBeUndefined();
    expect(launchOf({}, { environment, when: 'off' }).neededBy).toBeNull();
    expect(launchOf({}, { environment }).neededBy).toBe('--kong-admin');
  });

  it('does not let the dispatcher read a variable that this process was not told of', () => {
    const launch = launchOf({}, { environment: {} });
    expect(readLaunch(launch, { KONG_TS_KONG_ADMIN: 'http://127.0.0.1:5' }).kong).toBeNull();
  });

  it('resolves files from the server’s folder, and gives workers the token of gRPC', () => {
    const launch = launchOf({ 'hooks-token-file': 'secret' }, { environment: {}, cwd: folder });
    expect(launch.words).toContain(join(folder, 'secret'));
    expect(grpcToken(launch, { KONG_TS_HOOKS_TOKEN: 'from the environment' })).toBe('from a file');
    expect(grpcToken(launchOf({}, { environment: {} }), { KONG_TS_HOOKS_TOKEN: 'x' })).toBe('x');
  });
});

describe('the store’s variable', () => {
  it('counts where neither flag names a store', () => {
    const environment = { KONG_TS_HOOKS_STORE: 'sqlite:/v' };
    const storeOf = (...words: string[]) => parseServeOptions(words, environment).dispatcher.store;
    expect(storeOf()).toBe('sqlite:/v');
    expect(storeOf('--data-dir', '/d')).toBe('sqlite:/d');
    expect(storeOf('--store', 'memory:')).toBe('memory:');
    expect(() => storeOf('--store', 'memory:', '--data-dir', '/d')).toThrow(/have to agree/);
  });
});
