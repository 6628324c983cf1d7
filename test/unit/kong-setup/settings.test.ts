import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { KongTsError } from '../../../src/base/errors.ts';
import { render } from '../../../src/kong-setup/formats.ts';
import type { SettingsOptions } from '../../../src/kong-setup/settings.ts';
import { kongSettings } from '../../../src/kong-setup/settings.ts';
import type { PluginSource } from '../../../src/kong-setup/plugin-source.ts';
import { factsOf } from '../../../src/kong-setup/versions.ts';

const hello: PluginSource = { name: 'hello', spec: '/plugins/hello.ts', protocol: 'protobuf' };
const audit: PluginSource = { name: 'my-audit', spec: '/plugins/audit.ts', protocol: 'protobuf' };
const vault: PluginSource = { name: 'vaulted', spec: '/plugins/vaulted.ts', protocol: 'msgpack' };

const options = (over: Partial<SettingsOptions> = {}): SettingsOptions => ({
  plugins: [hello, audit],
  facts: factsOf('3.9'),
  mode: 'managed',
  socket: '/usr/local/kong/kong-ts.socket',
  command: ['/usr/local/bin/kong-ts'],
  dumpFolder: '/usr/local/kong-ts',
  ...over,
});

const asObject = (over: Partial<SettingsOptions> = {}): Record<string, string> =>
  Object.fromEntries(kongSettings(options(over)).settings.map(({ key, value }) => [key, value]));

const errorOf = (run: () => unknown): KongTsError => {
  try {
    run();
  } catch (error) {
    if (error instanceof KongTsError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('settings for Kong 3.9', () => {
  it('gives each plugin a server name of its own, one socket, and a start_cmd to the first only', () => {
    expect(asObject()).toEqual({
      plugins: 'bundled,hello,my-audit',
      pluginserver_names: 'hello,my-audit',
      pluginserver_hello_socket: '/usr/local/kong/kong-ts.socket',
      pluginserver_hello_query_cmd: '/usr/local/bin/kong-ts dump /plugins/hello.ts',
      pluginserver_hello_start_cmd:
        '/usr/local/bin/kong-ts serve /plugins/hello.ts /plugins/audit.ts --socket /usr/local/kong/kong-ts.socket',
      pluginserver_my_audit_socket: '/usr/local/kong/kong-ts.socket',
      pluginserver_my_audit_query_cmd: '/usr/local/bin/kong-ts dump /plugins/audit.ts',
    });
  });

  it('explains the warning that Kong gives for names without start_cmd', () => {
    expect(kongSettings(options()).notes.join('\n')).toContain('start_command undefined');
  });

  it('reads dumps with cat beside a sidecar, and says what to run there', () => {
    const result = kongSettings(options({ mode: 'sidecar' }));
    const settings = Object.fromEntries(result.settings.map(({ key, value }) => [key, value]));
    expect(settings.pluginserver_my_audit_query_cmd).toBe('cat /usr/local/kong-ts/my-audit.json');
    expect(Object.keys(settings).some((key) => key.endsWith('_start_cmd'))).toBe(false);
    expect(result.commands).toContain('kong-ts dump /plugins/hello.ts > /usr/local/kong-ts/hello.json');
  });
});

describe('plugins of both protocols', () => {
  const mixed = { plugins: [hello, vault, audit] };

  it.each(['2.8', '3.0', '3.1', '3.4', '3.5', '3.8', '3.9'])(
    'have a socket for each protocol on Kong %s',
    (version) => {
      const settings = asObject({ ...mixed, facts: factsOf(version) });
      expect(settings).toMatchObject({
        pluginserver_hello_socket: '/usr/local/kong/kong-ts.socket',
        pluginserver_vaulted_socket: '/usr/local/kong/kong-ts-msgpack.socket',
      });
    },
  );

  it('are served by one process on both sockets', () => {
    expect(asObject(mixed).pluginserver_hello_start_cmd).toBe(
      '/usr/local/bin/kong-ts serve /plugins/hello.ts /plugins/vaulted.ts /plugins/audit.ts --socket /usr/local/kong/kong-ts.socket --socket msgpack=/usr/local/kong/kong-ts-msgpack.socket',
    );
    expect(kongSettings(options(mixed)).processes).toEqual(['/usr/local/kong/kong-ts.socket']);
    expect(kongSettings(options(mixed)).notes.join(' ')).toContain('a socket of its own');
  });

  it('are served by one process when the first of them speaks MsgPack:1', () => {
    const settings = asObject({ plugins: [vault, hello] });
    expect(settings.pluginserver_vaulted_socket).toBe('/usr/local/kong/kong-ts-msgpack.socket');
    expect(settings.pluginserver_vaulted_start_cmd).toContain(
      '--socket /usr/local/kong/kong-ts.socket --socket msgpack=/usr/local/kong/kong-ts-msgpack.socket',
    );
  });

  it('have two sockets beside a sidecar, and the command to run there names both', () => {
    const result = kongSettings(options({ ...mixed, mode: 'sidecar' }));
    expect(Object.fromEntries(result.settings.map(({ key, value }) => [key, value]))).toMatchObject({
      pluginserver_my_audit_socket: '/usr/local/kong/kong-ts.socket',
      pluginserver_vaulted_socket: '/usr/local/kong/kong-ts-msgpack.socket',
    });
    expect(result.commands.at(-1)).toBe(
      'kong-ts serve /plugins/hello.ts /plugins/vaulted.ts /plugins/audit.ts --socket /usr/local/kong/kong-ts.socket --socket msgpack=/usr/local/kong/kong-ts-msgpack.socket --socket-mode 0666',
    );
  });

  it('of one protocol keep the socket as it was given', () => {
    expect(asObject({ plugins: [vault] }).pluginserver_vaulted_socket).toBe('/usr/local/kong/kong-ts.socket');
    expect(kongSettings(options()).processes).toEqual(['/usr/local/kong/kong-ts.socket']);
  });
});

describe('the environment', () => {
  const needy: PluginSource = { ...hello, environment: ['JWT_SECRET', 'REGION'] };

  it('passes on what plugins and flags need, each once', () => {
    const settings = asObject({
      plugins: [needy, { ...audit, environment: ['REGION'] }],
      serveOptions: ['--event-hooks-admin', '127.0.0.1:8011', '--kong-admin=http://127.0.0.1:8001'],
    });
    expect(settings.nginx_main_env).toBe(
      'JWT_SECRET; env REGION; env KONG_TS_ADMIN_TOKEN; env KONG_ADMIN_TOKEN',
    );
    expect(settings.pluginserver_hello_start_cmd).toMatch(/ --event-hooks-admin 127\.0\.0\.1:8011 /);
  });

  it('needs nothing where files have the secrets, and beside a sidecar', () => {
    const serveOptions = ['--event-hooks-admin', '127.0.0.1:8011', '--token-file', '/run/token'];
    expect(asObject({ serveOptions }).nginx_main_env).toBeUndefined();
    expect(asObject({ plugins: [needy], mode: 'sidecar' }).nginx_main_env).toBeUndefined();
  });

  it('is one line of kong.conf and one variable', () => {
    const result = kongSettings(options({ plugins: [needy] }));
    expect(render(result, 'conf')).toContain('nginx_main_env = JWT_SECRET; env REGION\n');
    expect(render(result, 'env')).toContain('KONG_NGINX_MAIN_ENV="JWT_SECRET; env REGION"\n');
  });
});

describe('settings for older versions', () => {
  it('puts plugins of one protocol into one server until 3.8', () => {
    const settings = asObject({ facts: factsOf('3.8.1'), plugins: [hello, vault, audit] });
    expect(settings.pluginserver_names).toBe('hello,vaulted');
    expect(settings.pluginserver_hello_query_cmd).toBe(
      '/usr/local/bin/kong-ts dump /plugins/hello.ts /plugins/audit.ts',
    );
  });

  it.each(['3.1', '3.4.2'])('starts one process per protocol for Kong %s', (version) => {
    const facts = factsOf(version);
    const settings = asObject({ facts, plugins: [hello, vault, audit] });
    expect(settings).toMatchObject({
      pluginserver_names: 'hello,vaulted',
      pluginserver_hello_socket: '/usr/local/kong/kong-ts.socket',
      pluginserver_hello_start_cmd:
        '/usr/local/bin/kong-ts serve /plugins/hello.ts /plugins/audit.ts --socket /usr/local/kong/kong-ts.socket',
      pluginserver_vaulted_socket: '/usr/local/kong/kong-ts-msgpack.socket',
      pluginserver_vaulted_start_cmd:
        '/usr/local/bin/kong-ts serve /plugins/vaulted.ts --socket /usr/local/kong/kong-ts-msgpack.socket',
    });
    expect(kongSettings(options({ facts, plugins: [hello, vault] })).notes.join()).toContain('skips a name');
    // One protocol is one name, and keeps the socket as given.
    expect(asObject({ facts }).pluginserver_hello_socket).toBe('/usr/local/kong/kong-ts.socket');
  });

  it('gives each plugin a name and a dump of its own beside a sidecar, in any version', () => {
    const result = kongSettings(options({ facts: factsOf('3.8'), mode: 'sidecar', command: [] }));
    const settings = Object.fromEntries(result.settings.map(({ key, value }) => [key, value]));
    expect(settings.pluginserver_names).toBe('hello,my-audit');
    expect(settings.pluginserver_my_audit_query_cmd).toBe('cat /usr/local/kong-ts/my-audit.json');
    expect(result.commands).toContain('kong-ts dump /plugins/audit.ts > /usr/local/kong-ts/my-audit.json');
  });

  it.each(['3.1', '3.4.2'])('refuses a sidecar for Kong %s, which skips such plugins', (version) => {
    const error = errorOf(() => kongSettings(options({ facts: factsOf(version), mode: 'sidecar' })));
    expect(error.code).toBe('USAGE');
    expect(error.message).toContain('20 s');
  });

  it('names the trap of 3.6 and of 2.8', () => {
    expect(factsOf('3.6').notes.join(' ')).toContain('kong reload');
    expect(kongSettings(options({ facts: factsOf('2.8') })).notes.join(' ')).toContain('instance ids');
  });

  it('names the endless tries of 2.8 and 3.0, and of no later one', () => {
    const notes = (version: string): string => factsOf(version).notes.join(' ');
    expect(notes('2.8')).toContain('Kong 2.8 tries again without end');
    expect(notes('3.0')).toContain('Kong 3.0 tries again without end');
    expect(notes('3.1')).not.toContain('StartInstance');
  });

  it('takes the versions of the Enterprise edition as its Admin API says them', () => {
    expect(factsOf('3.4.3.1-enterprise-edition')).toMatchObject({ version: '3.4', externalServers: false });
  });

  it.each(['', '1.5', 'latest', '3', 'x3.9'])('refuses "%s" and lists what it knows', (version) => {
    expect(errorOf(() => factsOf(version)).message).toContain('3.9');
  });
});

describe('what Kong cannot carry', () => {
  it.each([
    ['a relative socket', { socket: 'kong-ts.socket' }],
    ['a space in a path', { plugins: [{ ...hello, spec: '/my plugins/hello.ts' }] }],
    ['a quote in the command', { command: ['/bin/sh', '-c', "'x'"] }],
    ['a relative command', { command: ['kong-ts'] }],
    ['an empty command', { command: [''] }],
    ['a dump folder with a space', { mode: 'sidecar', dumpFolder: '/my dumps' }],
    ['no plugin', { plugins: [] }],
    ['two names that become one', { plugins: [hello, { ...hello, name: 'Hello' }] }],
  ] satisfies [string, Partial<SettingsOptions>][])('%s is refused with the way out', (_, over) => {
    const error = errorOf(() => kongSettings(options(over)));
    expect(error.code).toBe('USAGE');
    expect(error.message.length).toBeGreaterThan(40);
  });
});

describe('formats', () => {
  const result = kongSettings(options());

  it('env: KONG_, upper case, quoted where a shell needs it', () => {
    const lines = render(result, 'env').split('\n');
    expect(lines).toContain('KONG_PLUGINSERVER_NAMES=hello,my-audit');
    expect(lines).toContain(
      'KONG_PLUGINSERVER_MY_AUDIT_QUERY_CMD="/usr/local/bin/kong-ts dump /plugins/audit.ts"',
    );
  });

  it('env-file: no quotes, as docker run takes it', () => {
    expect(render(result, 'env-file').split('\n')).toContain(
      'KONG_PLUGINSERVER_MY_AUDIT_QUERY_CMD=/usr/local/bin/kong-ts dump /plugins/audit.ts',
    );
  });

  it('conf: properties of kong.conf, notes as comments', () => {
    const lines = render(result, 'conf').trimEnd().split('\n');
    expect(lines).toContain('pluginserver_names = hello,my-audit');
    expect(lines.every((line) => line.startsWith('#') || line.includes(' = '))).toBe(true);
  });

  it('compose and helm: YAML that parses back to the same settings', () => {
    const compose = parse(render(result, 'compose')) as {
      services: { kong: { environment: Record<string, string> } };
    };
    expect(compose.services.kong.environment.KONG_PLUGINS).toBe('bundled,hello,my-audit');
    const helm = parse(render(result, 'helm')) as { env: Record<string, string> };
    expect(helm.env).toEqual(Object.fromEntries(result.settings.map(({ key, value }) => [key, value])));
  });
});

describe('names of plugins', () => {
  it.each(['a,b', 'a b', 'a\nplugins = evil', 'a.b', 'a#b', 'a=b', 'ä', ''])(
    'are refused where they would end a setting or begin another: %j',
    (name) => {
      const error = errorOf(() => kongSettings(options({ plugins: [{ ...hello, name }] })));
      expect(error.code).toBe('USAGE');
      expect(error.message).toContain(JSON.stringify(name));
    },
  );
});
