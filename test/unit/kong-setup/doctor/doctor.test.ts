import { chmodSync, mkdtempSync, symlinkSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkProperties } from '../../../../src/kong-setup/doctor/check-properties.ts';
import { checkFiles } from '../../../../src/kong-setup/doctor/check-files.ts';
import { checkSocket } from '../../../../src/kong-setup/doctor/check-socket.ts';
import {
  parseEnvFile,
  parseEnvironment,
  parseKongConf,
  serversOf,
} from '../../../../src/kong-setup/kong-conf.ts';
import { examine } from '../../../../src/kong-setup/doctor/doctor.ts';
import type { Finding } from '../../../../src/kong-setup/doctor/finding.ts';
import type { KongUser } from '../../../../src/kong-setup/doctor/permissions.ts';
import { factsOf } from '../../../../src/kong-setup/versions.ts';

let folder: string;
let server: Server | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kong-ts-doctor-'));
});
afterEach(async () => {
  const open = server;
  server = null;
  if (open !== null) await new Promise((resolve) => open.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const listen = async (path: string): Promise<void> => {
  const made = createServer((socket) => socket.destroy());
  server = made;
  await new Promise<void>((resolve) => made.listen(path, resolve));
};

const properties = (values: Record<string, string>): Map<string, string> => new Map(Object.entries(values));
const errorsOf = (findings: readonly Finding[]): Finding[] => findings.filter((one) => one.level === 'error');
const check = (values: Record<string, string>, kong = '3.9'): Finding[] => {
  const all = properties(values);
  const facts = factsOf(kong);
  return checkProperties(all, serversOf(all, facts), facts);
};
const dump = (...names: string[]): string =>
  JSON.stringify({
    Protocol: 'ProtoBuf:1',
    Plugins: names.map((Name) => ({
      Name,
      Version: '1.0.0',
      Priority: 1,
      Phases: ['access'],
      Schema: { name: Name, fields: [{ config: { type: 'record', fields: [] } }] },
    })),
  });

describe('reading the configuration', () => {
  it('takes kong.conf, and lets the environment win', () => {
    const conf = parseKongConf('# x\nlog_level = info # y\npluginserver_names = a, b\nprefix=/k\n');
    const merged = new Map([...conf, ...parseEnvironment({ KONG_PREFIX: '/env', HOME: '/root' })]);
    expect(Object.fromEntries(merged)).toEqual({
      log_level: 'info',
      pluginserver_names: 'a, b',
      prefix: '/env',
    });
    expect(serversOf(merged, factsOf('3.9')).map((one) => one.socket)).toEqual([
      '/env/a.socket',
      '/env/b.socket',
    ]);
    // Before 3.9 the default socket does not follow the prefix.
    expect(serversOf(merged, factsOf('3.8'))[0]?.socket).toBe('/usr/local/kong/a.socket');
  });

  it('does not see what Kong does not see: names in another case, and what stands behind a number sign', () => {
    const conf = parseKongConf('PLUGINS = a\nplugins = b#c\nprefix = /k\\#1 # x\nlog_level=info#x\n');
    expect(Object.fromEntries(conf)).toEqual({ plugins: 'b', prefix: '/k#1', log_level: 'info' });
    expect([...parseEnvironment({ KONG_Plugins: 'a', kong_prefix: '/k', KONG_LOG_LEVEL: 'info' })]).toEqual([
      ['log_level', 'info'],
    ]);
  });

  it('takes the programs that Kong looks for where no command is given', () => {
    const commands = (kong: string): unknown[] =>
      serversOf(properties({ pluginserver_names: 'a' }), factsOf(kong), () => true).map(
        ({ queryCommand, startCommand }) => ({ queryCommand, startCommand }),
      );
    expect(commands('3.9')).toEqual([
      { queryCommand: '/usr/local/bin/a -dump', startCommand: '/usr/local/bin/a' },
    ]);
    expect(commands('3.8')).toEqual([
      { queryCommand: '/usr/local/bin/query_a', startCommand: '/usr/local/bin/a' },
    ]);
  });

  it('reads env files with quotes', () => {
    expect(parseEnvFile('A=1\nexport B="x y"\n# C=2\n')).toEqual({ A: '1', B: 'x y' });
    // Docker takes such a name, Kong does not: doctor has to see it.
    expect(parseEnvFile('KONG_PLUGINSERVER_MY-A_SOCKET=/a\n')).toEqual({
      'KONG_PLUGINSERVER_MY-A_SOCKET': '/a',
    });
  });
});

describe('mistakes in the properties', () => {
  const good = {
    pluginserver_names: 'my-plugin',
    pluginserver_my_plugin_socket: '/run/k.socket',
    pluginserver_my_plugin_query_cmd: 'cat /x.json',
    log_level: 'info',
  };

  it('finds nothing wrong in a good one', () => {
    expect(check(good).filter((one) => one.level !== 'ok')).toEqual([]);
  });

  it.each([
    ['no plugin server at all', { pluginserver_names: '' }, 'pluginserver_names'],
    [
      'a dash in a property',
      { 'pluginserver_my-plugin_socket': '/run/k.socket' },
      'pluginserver_my_plugin_socket',
    ],
    [
      'a misspelt property',
      { pluginserver_my_plugin_start_command: '/bin/true' },
      'pluginserver_my_plugin_start_cmd',
    ],
    ['a relative command', { pluginserver_my_plugin_query_cmd: 'kong-ts dump x.ts' }, 'absolute path'],
    ['a variable before the command', { pluginserver_my_plugin_query_cmd: 'A=1 /bin/cat x' }, '/usr/bin/env'],
    ['a shell line', { pluginserver_my_plugin_query_cmd: 'cd /x && /bin/cat y' }, 'script'],
    [
      'a command that is not there',
      { pluginserver_my_plugin_start_cmd: '/nowhere/kong-ts serve' },
      'as Kong sees it',
    ],
    [
      'another socket in start_cmd',
      { pluginserver_my_plugin_start_cmd: '/bin/sh serve --socket /run/k.sock' },
      '.socket, not .sock',
    ],
  ])('%s', (_, wrong, fix) => {
    const errors = errorsOf(check({ ...good, ...wrong }));
    expect(errors).toHaveLength(1);
    expect(errors[0]?.fix).toContain(fix);
  });

  it('sockets of start_cmd: several, with the name of a plugin before them', () => {
    const start = '/bin/sh serve --socket other=/run/o.socket --socket my-plugin=/run/k.socket';
    expect(errorsOf(check({ ...good, pluginserver_my_plugin_start_cmd: start }))).toEqual([]);
    const wrong = check({ ...good, pluginserver_my_plugin_start_cmd: start.replace('k.socket', 'k.sock') });
    expect(errorsOf(wrong)[0]?.says).toContain('serves /run/o.socket, /run/k.sock.');
  });

  it('an empty value is none, as for Kong', () => {
    expect(
      check({ ...good, pluginserver_my_plugin_start_cmd: '' }).filter((one) => one.level !== 'ok'),
    ).toEqual([]);
    expect(errorsOf(check({ ...good, pluginserver_my_plugin_query_cmd: '' }))[0]?.says).toContain('missing');
  });

  it('a missing query_cmd', () => {
    const { pluginserver_my_plugin_query_cmd: _, ...without } = good;
    expect(errorsOf(check(without))[0]?.says).toContain('refuses to start');
  });

  it('a name without start_cmd, where Kong skips such names', () => {
    const says = (kong: string): string =>
      errorsOf(check(good, kong))
        .map((one) => one.says)
        .join();
    expect(says('3.4')).toContain('skips its plugins');
    expect(says('3.5')).toBe('');
  });

  it('tells the longer of two names that begin alike', () => {
    const findings = check({
      ...good,
      pluginserver_names: 'my,my-plugin',
      pluginserver_my_query_cmd: 'cat /y.json',
      pluginserver_my_plugin_sock: '/run/k.socket',
    });
    expect(errorsOf(findings).map((one) => one.fix)).toEqual(['Write pluginserver_my_plugin_socket.']);
  });

  it('two servers started for one socket', () => {
    const findings = check({
      ...good,
      pluginserver_names: 'a,b',
      pluginserver_a_socket: '/run/k.socket',
      pluginserver_a_query_cmd: 'cat /a',
      pluginserver_a_start_cmd: '/bin/sh a',
      pluginserver_b_socket: '/run/k.socket',
      pluginserver_b_query_cmd: 'cat /b',
      pluginserver_b_start_cmd: '/bin/sh b',
    });
    expect(errorsOf(findings).map((one) => one.subject)).toEqual([
      'pluginserver_a_start_cmd, pluginserver_b_start_cmd',
    ]);
  });

  it('a log level that hides what the server prints', () => {
    expect(
      check({ ...good, log_level: 'notice' }).some(
        (one) => one.level === 'warning' && one.subject === 'log_level',
      ),
    ).toBe(true);
  });
});

describe('dumps', () => {
  const examineDump = async (text: string, kong = '3.9', plugins = 'bundled,a'): Promise<Finding[]> => {
    const file = join(folder, 'dump.json');
    writeFileSync(file, text);
    return examine({
      properties: properties({
        plugins,
        pluginserver_names: 'a',
        pluginserver_a_socket: join(folder, 'a.socket'),
        pluginserver_a_query_cmd: `cat ${file}`,
      }),
      facts: factsOf(kong),
      admin: null,
      user: null,
    });
  };

  it('takes a good one', async () => {
    expect(errorsOf(await examineDump(dump('a')))).toEqual([]);
  });

  it.each([
    ['nothing', '', 'printed nothing'],
    ['other output before it', `hello\n${dump('a')}`, 'not one JSON document'],
    ['an unknown protocol', '{"Protocol":"JSON:1","Plugins":[{}]}', 'JSON:1'],
    ['a plugin without its parts', '{"Plugins":[{"Name":"a"}]}', 'Version is not a string'],
    ['a plugin that is not listed', dump('b'), 'does not list b'],
  ])('%s', async (_, text, says) => {
    expect(
      errorsOf(await examineDump(text))
        .map((one) => one.says)
        .join(),
    ).toContain(says);
  });

  it('several plugins in one dump: wrong for 3.9, right for 3.8', async () => {
    expect(errorsOf(await examineDump(dump('a', 'b'), '3.9', 'a,b'))[0]?.says).toContain('only the first');
    expect(errorsOf(await examineDump(dump('a', 'b'), '3.8', 'a,b'))).toEqual([]);
  });
});

describe('the files of plugins', () => {
  const examineFiles = (start: string, user: KongUser | null = null): string[] => {
    const [server] = serversOf(
      properties({ pluginserver_names: 'a', pluginserver_a_start_cmd: start }),
      factsOf('3.9'),
    );
    if (server === undefined) throw new Error('no server');
    return checkFiles(server, user).map((one) => one.says);
  };

  it('relative, not there, not readable for the user of the nginx workers', () => {
    const file = join(folder, 'a.ts');
    expect(examineFiles('/bin/sh serve ./a.ts')).toEqual([expect.stringContaining('relative')]);
    expect(examineFiles(`/bin/sh serve ${file}`)).toEqual([expect.stringContaining('is not there')]);
    writeFileSync(file, '');
    chmodSync(file, 0o600);
    const user = { uid: 65_000, gids: [65_000] };
    expect(examineFiles(`/bin/sh serve ${file}`)).toEqual([]);
    expect(examineFiles(`/bin/sh serve ${file}`, user)).toEqual([
      expect.stringContaining(`may not pass through ${folder}`),
    ]);
    chmodSync(folder, 0o755);
    expect(examineFiles(`/bin/sh serve ${file}`, user)).toEqual([
      expect.stringContaining(`may not read ${file}`),
    ]);
    chmodSync(file, 0o644);
    expect(examineFiles(`/bin/sh serve ${file}`, user)).toEqual([]);
  });
});

describe('sockets', () => {
  const definition = (socket: string) => {
    const all = properties({ pluginserver_names: 'a', pluginserver_a_socket: socket });
    const [only] = serversOf(all, factsOf('3.9'));
    if (only === undefined) throw new Error('no server');
    return only;
  };

  const context = (user: KongUser | null = null) => ({ user, kongRuns: false, started: false });

  it('is content with one that answers', async () => {
    const path = join(folder, 'a.socket');
    await listen(path);
    expect((await checkSocket(definition(path), context())).map((one) => one.level)).toEqual(['ok']);
  });

  it('follows a link to the socket', async () => {
    await listen(join(folder, 'real.socket'));
    symlinkSync(join(folder, 'real.socket'), join(folder, 'a.socket'));
    const findings = await checkSocket(definition(join(folder, 'a.socket')), context());
    expect(findings.map((one) => one.level)).toEqual(['ok']);
  });

  it('says that the user of the nginx workers may not connect', async () => {
    const path = join(folder, 'a.socket');
    await listen(path);
    const user = { uid: 65_000, gids: [65_000] };
    // mkdtemp makes a folder for its owner only.
    const [closed] = await checkSocket(definition(path), context(user));
    expect(closed?.says).toContain(`may not pass through ${folder}`);
    chmodSync(folder, 0o755);
    chmodSync(path, 0o755);
    const [finding] = await checkSocket(definition(path), context(user));
    expect(finding?.fix).toContain('--socket-mode');
  });

  it('knows .sock from .socket', async () => {
    await listen(join(folder, 'a.sock'));
    const [finding] = await checkSocket(definition(join(folder, 'a.socket')), context());
    expect(finding).toMatchObject({ level: 'error' });
    expect(finding?.fix).toContain('a.sock,');
  });

  it.each([
    ['a relative path', 'a.socket', 'relative'],
    ['a path that no socket can have', `/tmp/${'x'.repeat(120)}`, '107'],
  ])('%s', async (_, path, says) => {
    expect((await checkSocket(definition(path), context()))[0]?.says).toContain(says);
  });

  it('a file in its place', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, '');
    expect((await checkSocket(definition(path), context()))[0]?.says).toContain('not a socket');
  });

  it('says that nobody listens while Kong runs, as an error', async () => {
    const path = join(folder, 'a.socket');
    const before = await checkSocket(definition(path), context());
    expect(before.map((one) => one.level)).toEqual(['warning']);
    const [finding] = await checkSocket(definition(path), { ...context(), kongRuns: true });
    expect(finding).toMatchObject({ level: 'error' });
    expect(finding?.says).toContain('answered with 500');
  });
});
