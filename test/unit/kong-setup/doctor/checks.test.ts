import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../../../src/plugin/dump.ts';
import { checkEnvironment } from '../../../../src/kong-setup/doctor/check-environment.ts';
import type { DumpedPlugin } from '../../../../src/kong-setup/doctor/check-dump.ts';
import { checkDump } from '../../../../src/kong-setup/doctor/check-dump.ts';
import { checkHealth } from '../../../../src/kong-setup/doctor/check-health.ts';
import { checkListed } from '../../../../src/kong-setup/doctor/check-listed.ts';
import { checkProtocols } from '../../../../src/kong-setup/doctor/check-protocols.ts';
import { checkStart } from '../../../../src/kong-setup/doctor/check-start.ts';
import type { ServerDefinition } from '../../../../src/kong-setup/kong-conf.ts';
import { serversOf } from '../../../../src/kong-setup/kong-conf.ts';
import { passedOn } from '../../../../src/kong-setup/doctor/environment.ts';
import { kongRunsIn } from '../../../../src/kong-setup/doctor/kong-process.ts';
import { tellingLine } from '../../../../src/kong-setup/doctor/run-command.ts';
import { readServeCommand } from '../../../../src/kong-setup/doctor/start-command.ts';
import { factsOf } from '../../../../src/kong-setup/versions.ts';

let folder: string;
let server: Server | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kong-ts-checks-'));
});
afterEach(async () => {
  const open = server;
  server = null;
  open?.closeAllConnections();
  if (open !== null) await new Promise((resolve) => open.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const defined = (values: Record<string, string>): ServerDefinition[] =>
  serversOf(new Map(Object.entries(values)), factsOf('3.9'));
const one = (values: Record<string, string>): ServerDefinition => {
  const [first] = defined({ pluginserver_names: 'a', ...values });
  if (first === undefined) throw new Error('no server');
  return first;
};
const plugin = (Name: string, Version = '1.0.0') => ({
  Name,
  Version,
  Priority: 1,
  Phases: ['access'],
  Schema: { name: Name, fields: [{ config: { type: 'record' as const, fields: [] } }] },
});
const fingerprint = (Name: string, Version?: string): string =>
  fingerprintOf({ Protocol: 'ProtoBuf:1', Plugins: [plugin(Name, Version)] });
const dumped = (name: string, protocol = 'ProtoBuf:1'): DumpedPlugin => ({
  name,
  protocol,
  fingerprint: fingerprint(name),
});

describe('names in plugins', () => {
  const listed = (plugins: string, dumps: string[], files: string[] = []) =>
    checkListed(new Map([['plugins', plugins]]), dumps, [], (file) => files.includes(file)).filter(
      ({ level }) => level === 'error',
    );

  it('of a dump, of Kong and of Lua files are provided', () => {
    const lua = '/usr/local/share/lua/5.1/kong/plugins/own/handler.lua';
    expect(listed('bundled,js-one,cors,own', ['js-one'], [lua])).toEqual([]);
  });

  it('that nothing provides keep Kong from starting', () => {
    const [finding] = listed('bundled,js-one,typo', ['js-one']);
    expect(finding?.says).toContain('It lists typo, which nothing provides');
  });

  it('that are a dump with another spelling are told the right one', () => {
    const errors = listed('bundled,js_one', ['js-one']);
    expect(errors.map(({ fix }) => fix)).toContainEqual('Write js-one, as its dump says it.');
  });

  it('are looked for in lua_package_path', () => {
    const properties = new Map([
      ['plugins', 'own'],
      ['lua_package_path', '/opt/?.lua;;'],
    ]);
    expect(checkListed(properties, [], [], (file) => file === '/opt/kong/plugins/own/handler.lua')).toEqual(
      [],
    );
  });
});

describe('the health of the server', () => {
  const control = (): string => join(folder, 'k.socket.ctl');
  const serve = async (status: unknown, text = JSON.stringify(status)): Promise<void> => {
    const made = createServer((_, response) => response.end(text));
    server = made;
    await new Promise<void>((resolve) => made.listen(control(), resolve));
  };
  const status = {
    state: 'running',
    workers: [{ state: 'ready' }],
    failures: [],
    plugins: [{ name: 'a', fingerprint: fingerprint('a') }],
  };

  it('is good where all that is dumped is served', async () => {
    await serve(status);
    expect((await checkHealth(control(), [dumped('a')])).map(({ level }) => level)).toEqual(['ok']);
  });

  it('names plugins that do not load', async () => {
    await serve({ ...status, failures: [{ spec: '/b.ts', message: 'no such package' }] });
    expect((await checkHealth(control(), [dumped('a')]))[0]).toMatchObject({
      level: 'error',
      says: 'The server cannot load /b.ts: no such package',
    });
  });

  it('names a plugin that is dumped and not served', async () => {
    await serve(status);
    expect((await checkHealth(control(), [dumped('b')]))[0]?.says).toContain('does not serve b');
  });

  it('sees a dump that is older than what is served', async () => {
    await serve({ ...status, plugins: [{ name: 'a', fingerprint: fingerprint('a', '2.0.0') }] });
    expect((await checkHealth(control(), [dumped('a')]))[0]).toMatchObject({ level: 'error' });
  });

  it('sees a server without a worker', async () => {
    await serve({ ...status, workers: [] });
    expect((await checkHealth(control(), [dumped('a')]))[0]?.says).toContain('no worker');
  });

  it('is bad where the server takes connections and says nothing', async () => {
    const made = createServer(() => undefined);
    server = made;
    await new Promise<void>((resolve) => made.listen(control(), resolve));
    const [finding] = await checkHealth(control(), [dumped('a')], 50);
    expect(finding).toMatchObject({ level: 'error' });
    expect(finding?.says).toContain('has said nothing for 0.05 s');
  });

  it('is not known where the answer is not one', async () => {
    await serve(null, 'nonsense');
    expect((await checkHealth(control(), []))[0]?.level).toBe('warning');
    await expect(checkHealth(join(folder, 'absent'), [])).resolves.toEqual([]);
  });
});

describe('start commands', () => {
  const program = (text: string): string => {
    const file = join(folder, 'kong-ts');
    writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return `${file} serve x.ts --socket ${folder}/k.socket`;
  };

  it('that would serve are right', async () => {
    const command = program('exit 0');
    const findings = await checkStart(one({ pluginserver_a_start_cmd: command }), {});
    expect(findings.map(({ level }) => level)).toEqual(['ok']);
  });

  it('that end at once say why, as Kong runs them: without the environment of the shell', async () => {
    const command = program('[ -z "$HOME" ] || exit 0; echo "kong-ts: no token" >&2; echo more >&2; exit 1');
    const [finding] = await checkStart(one({ pluginserver_a_start_cmd: command }), {});
    expect(finding?.says).toBe('It would end at once, with 1: kong-ts: no token');
  });

  it('of a kong-ts that cannot be asked, and of other programs, are left alone', async () => {
    const old = program('echo "error: unknown option \'--check\'" >&2; exit 2');
    expect(await checkStart(one({ pluginserver_a_start_cmd: old }), {})).toEqual([]);
    expect(await checkStart(one({ pluginserver_a_start_cmd: '/bin/false' }), {})).toEqual([]);
  });

  it('name their control socket', () => {
    expect(
      readServeCommand('/usr/bin/node /x/kong-ts.js serve a.ts --socket /k --socket msgpack=/m'),
    ).toEqual({
      sockets: ['/k', '/m'],
      control: '/k.ctl',
    });
    expect(readServeCommand('/bin/kong-ts serve a --control=/c --socket=/k')?.control).toBe('/c');
    expect(readServeCommand('/opt/go-pluginserver --socket /k')).toBeNull();
  });
});

describe('what a command prints when it fails', () => {
  it('begins with what is wrong where kong-ts says it', () => {
    expect(tellingLine('kong-ts needs Node.js 22.19 or later.\nIn a checkout, run it through npm.\n')).toBe(
      'kong-ts needs Node.js 22.19 or later.',
    );
  });

  it('holds the error where Node prints a stack', () => {
    expect(tellingLine('file:///x.ts:1\nconst\n^\n\nSyntaxError: Unexpected end\n    at x\n')).toBe(
      'SyntaxError: Unexpected end',
    );
  });
});

describe('a dump', () => {
  it.each(['[null]', '{"Plugins":[1]}', '{"Plugins":[{"Schema":null}]}', '[[]]', 'null', '7'])(
    'of odd shape is an error: %s',
    async (text) => {
      writeFileSync(join(folder, 'd.json'), text);
      const { findings } = await checkDump(
        one({ pluginserver_a_query_cmd: `cat ${folder}/d.json` }),
        factsOf('3.9'),
      );
      expect(findings.some(({ level }) => level === 'error')).toBe(true);
    },
  );
});

describe('protocols', () => {
  const [a, b] = defined({
    pluginserver_names: 'a,b',
    pluginserver_a_socket: '/k',
    pluginserver_b_socket: '/k',
  });
  if (a === undefined || b === undefined) throw new Error('no servers');
  const mixed = new Map([
    [a, [dumped('a')]],
    [b, [dumped('b', 'MsgPack:1')]],
  ]);

  it('of both kinds on one socket are named', () => {
    expect(checkProtocols(mixed, factsOf('3.9')).map(({ level }) => level)).toEqual(['warning']);
    expect(checkProtocols(mixed, factsOf('3.4')).map(({ level }) => level)).toEqual(['error']);
  });

  it('of one kind are right', () => {
    expect(checkProtocols(new Map([[a, [dumped('a')]]]), factsOf('3.9'))).toEqual([]);
  });
});

describe('whether Kong runs', () => {
  const withPid = (text: string): boolean => {
    mkdirSync(join(folder, 'pids'), { recursive: true });
    writeFileSync(join(folder, 'pids', 'nginx.pid'), text);
    return kongRunsIn(new Map([['prefix', folder]]));
  };

  it('is told by the process of its pid file', () => {
    expect(kongRunsIn(new Map([['prefix', folder]]))).toBe(false);
    expect(withPid(`${String(process.pid)}\n`)).toBe(true);
    expect(withPid('999999999\n')).toBe(false);
    expect(withPid('-1\n')).toBe(false);
    expect(withPid('nonsense')).toBe(false);
  });
});

describe('the environment of a server that Kong starts', () => {
  const command = '/bin/kong-ts serve a.ts --socket /k --event-hooks-admin 0.0.0.0:8011';
  const check = (start: string, environment: Record<string, string>, main = '') => {
    const passed = passedOn(new Map([['nginx_main_env', main]]), environment);
    return checkEnvironment(one({ pluginserver_a_start_cmd: start }), environment, passed);
  };
  const token = { KONG_TS_ADMIN_TOKEN: 'secret' };

  it('has no token that is set for kong start alone', () => {
    const [finding] = check(command, token);
    expect(finding?.level).toBe('error');
    expect(finding?.says).toContain('KONG_TS_ADMIN_TOKEN is set for kong start');
    expect(finding?.fix).toContain('nginx_main_env = KONG_TS_ADMIN_TOKEN');
  });

  it('has what nginx_main_env names, alone or among others', () => {
    expect(check(command, token, 'KONG_TS_ADMIN_TOKEN')).toEqual([]);
    expect(check(command, token, 'OTHER=1; env KONG_TS_ADMIN_TOKEN;')).toEqual([]);
    expect(passedOn(new Map([['nginx_main_env', 'A; env B=2; env C']]), { A: '1' })).toEqual({
      A: '1',
      B: '2',
    });
  });

  it('needs none where a file has the secret, or no flag asks for it', () => {
    expect(check(`${command} --token-file /run/token`, token)).toEqual([]);
    expect(check('/bin/kong-ts serve a.ts --socket /k', token)).toEqual([]);
    expect(check('/opt/other serve --event-hooks-admin x', token)).toEqual([]);
  });
});
