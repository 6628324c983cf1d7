import { afterEach, beforeEach, expect, it } from 'vitest';
import { SetUp } from './support/set-up.ts';

/** Set-ups as people run them, in which nothing is wrong: doctor has to say so. */

let the: SetUp;
beforeEach(() => {
  the = new SetUp();
});
afterEach(() => the.close());

const k = (): string => the.at('k.socket');

/** Kong starts the server of one plugin, and runs. */
async function usual(): Promise<void> {
  the.plugin('js-one', { start: the.start() });
  await the.serve(k(), [the.dumpOf('js-one')]);
  await the.admin();
}

const setUps: readonly (readonly [string, () => Promise<void>])[] = [
  ['without a database, one plugin, one nginx worker, whose GET / is a 500', usual],
  [
    'Postgres, GET / answers',
    async () => {
      await usual();
      the.conf.database = 'postgres';
      the.answers.set('/', { status: 200, body: { version: '3.9.3', edition: 'community' } });
    },
  ],
  [
    'an Admin API that does not say its version (headers = off), and fails at GET /',
    async () => {
      await usual();
      the.answers.set('/status', { status: 200, server: null });
    },
  ],
  [
    'planned only: nothing runs, no socket yet, no Admin API',
    () => {
      the.plugin('js-one', { start: the.start() });
      return Promise.resolve();
    },
  ],
  [
    'an Admin API that asks for a token, which is given',
    async () => {
      await usual();
      the.token = { asked: 'secret', given: 'secret' };
    },
  ],
  [
    'an Admin API behind a path of a proxy',
    async () => {
      await usual();
      await the.admin('/kong/admin');
    },
  ],
  [
    'a token that may not list the plugins of the node, but read schemas',
    async () => {
      await usual();
      the.answers.set('/plugins/enabled', { status: 403, body: { message: 'forbidden' } });
    },
  ],
  [
    'Kong Enterprise 3.9, which calls itself so, with workspaces',
    async () => {
      await usual();
      the.version = '3.9.1.1-enterprise-edition';
      the.answers.set('/workspaces?size=1', { status: 200, body: { data: [{ name: 'default' }] } });
      the.conf.enforce_rbac = 'on';
    },
  ],
  [
    'Kong Enterprise 3.4 (LTS)',
    async () => {
      await usual();
      the.version = '3.4.3.12-enterprise-edition';
      the.kong = '3.4.3.12-enterprise-edition';
    },
  ],
  [
    'Kong 3.4.2, each name with a start command and a socket of its own',
    async () => {
      the.kong = '3.4';
      the.version = '3.4.2';
      for (const name of ['js-one', 'js-two']) {
        const socket = the.at(`${name}.socket`);
        the.plugin(name, { socket, start: the.start([socket]) });
        await the.serve(socket, [the.dumpOf(name)]);
      }
      await the.admin();
    },
  ],
  [
    'Kong 3.8: several plugins in one dump',
    async () => {
      the.kong = '3.8';
      the.version = '3.8.0';
      await usual();
      const [one, two] = [the.dumpOf('js-one'), the.dumpOf('js-two')];
      the.write('js-one.json', JSON.stringify({ ...one, Plugins: [...one.Plugins, ...two.Plugins] }));
      the.conf.plugins = 'bundled,js-one,js-two';
      the.loaded.push('js-two');
      await the.serve(the.at('other.socket'), null);
      the.conf.pluginserver_js_one_socket = the.at('other.socket');
      the.conf.pluginserver_js_one_start_cmd = the.start([the.at('other.socket')]);
    },
  ],
  [
    'sidecar: the server is managed elsewhere, Kong reads dumps with cat',
    async () => {
      the.plugin('js-one');
      the.plugin('js-two');
      await the.serve(k(), [the.dumpOf('js-one'), the.dumpOf('js-two')]);
      await the.admin();
    },
  ],
  [
    'the server on the host: only its socket is shared with Kong, no control socket',
    async () => {
      the.plugin('js-one');
      await the.serve(k(), null);
      await the.admin();
    },
  ],
  [
    'ten plugins on one server: one start command, the other names share its socket',
    async () => {
      const names = Array.from({ length: 10 }, (_, at) => `js-${String(at)}`);
      for (const [at, name] of names.entries()) the.plugin(name, at === 0 ? { start: the.start() } : {});
      await the.serve(
        k(),
        names.map((name) => the.dumpOf(name)),
      );
      await the.admin();
    },
  ],
  [
    'both protocols from one server, a socket for each',
    async () => {
      const m = the.at('m.socket');
      const start = the.start([k()], `--socket msgpack=${m}`);
      the.plugin('js-one', { start });
      the.plugin('js-two', { socket: m, protocol: 'MsgPack:1' });
      const served = [the.dumpOf('js-one'), the.dumpOf('js-two', { protocol: 'MsgPack:1' })];
      await the.serve(k(), served);
      await the.serve(m, null);
      await the.admin();
    },
  ],
  [
    'the default socket in the prefix',
    async () => {
      const socket = the.at('js-one.socket');
      the.plugin('js-one', { socket, start: the.start([socket]) });
      delete the.conf.pluginserver_js_one_socket;
      await the.serve(socket, [the.dumpOf('js-one')]);
      await the.admin();
    },
  ],
  [
    'a Go plugin server beside it, which is not a server of kong-ts',
    async () => {
      await usual();
      const go = the.at('go.socket');
      the.plugin('go-hello', { socket: go, protocol: 'ProtoBuf:1' });
      the.conf.pluginserver_go_hello_start_cmd = the.program('exec sleep 60', 'bin/go-hello');
      await the.serve(go, null);
    },
  ],
  [
    'Lua plugins beside it, in lua_package_path',
    async () => {
      await usual();
      the.write('lua/kong/plugins/own-auth/handler.lua', 'return {}');
      the.conf.lua_package_path = `${the.folder}/lua/?.lua;;`;
      the.conf.plugins = 'bundled, own-auth, js-one';
    },
  ],
  [
    'only what is needed of the bundled plugins',
    async () => {
      await usual();
      the.conf.plugins = 'key-auth,rate-limiting,js-one';
    },
  ],
  [
    'a secret of the server that nginx_main_env passes on',
    async () => {
      await usual();
      the.environment = { KONG_TS_ADMIN_TOKEN: 'secret', KONG_NGINX_MAIN_ENV: 'KONG_TS_ADMIN_TOKEN' };
      the.conf.pluginserver_js_one_start_cmd = the.start([k()], '--event-hooks-admin 127.0.0.1:8011');
    },
  ],
  [
    'a variable that a plugin reads when it is loaded, passed on beside others',
    async () => {
      await usual();
      const program = the.program('[ "$LICENCE" = x ] || { echo "Error: no LICENCE" >&2; exit 1; }');
      the.environment = { LICENCE: 'x', KONG_NGINX_MAIN_ENV: 'TZ; env LICENCE' };
      the.conf.pluginserver_js_one_start_cmd = the.start([k()], '', program);
    },
  ],
  [
    'a token in a file',
    async () => {
      await usual();
      the.environment = { KONG_TS_ADMIN_TOKEN: 'of the shell' };
      const more = '--event-hooks-admin 127.0.0.1:8011 --token-file /run/secrets/token';
      the.conf.pluginserver_js_one_start_cmd = the.start([k()], more);
    },
  ],
  [
    'nginx workers of another user, who may connect to the socket and read the plugin',
    async () => {
      await usual();
      the.user = { uid: 65_000, gids: [65_000] };
    },
  ],
  [
    'the environment over a kong.conf that says something else',
    async () => {
      await usual();
      the.conf.pluginserver_names = 'go';
      the.environment = { KONG_PLUGINSERVER_NAMES: 'js-one' };
    },
  ],
  [
    'a query command that has the environment of kong start, and prints notes on its standard error',
    async () => {
      await usual();
      const file = the.at('js-one.json');
      const program = the.program(`echo "a note" >&2; exec cat ${file}`, 'bin/query');
      the.conf.pluginserver_js_one_query_cmd = `/usr/bin/env VAR=1 ${program}`;
    },
  ],
];

it.each(setUps)('finds no error: %s', async (_what, make) => {
  await make();
  const errors = (await the.examine()).filter((one) => one.level === 'error');
  expect(errors).toEqual([]);
});
