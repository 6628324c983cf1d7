import { chmodSync, mkdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Finding } from '../../../../src/kong-setup/doctor/finding.ts';
import { SetUp } from './support/set-up.ts';

/** Set-ups in which one thing is wrong: doctor names it, and blames nothing else. */

let the: SetUp;
beforeEach(() => {
  the = new SetUp();
});
afterEach(() => the.close());

const k = (): string => the.at('k.socket');

/** Kong starts the server of one plugin, and runs. */
async function usual({ served = true } = {}): Promise<void> {
  the.plugin('js-one', { start: the.start() });
  if (served) await the.serve(k(), [the.dumpOf('js-one')]);
  await the.admin();
}
const starts = (program: string, more = ''): void => {
  the.conf.pluginserver_js_one_start_cmd = the.start([k()], more, the.program(program));
};
const queries = (command: string): void => {
  the.conf.pluginserver_js_one_query_cmd = command;
};

/** What the errors have to say, one pattern each, in their order. */
type Said = readonly RegExp[];

const setUps: readonly (readonly [string, () => Promise<void> | void, Said])[] = [
  [
    'a start command that ends at once, and so nobody made the socket',
    async () => {
      await usual({ served: false });
      starts('echo "kong-ts: --data-dir /data cannot be made." >&2; exit 1');
    },
    [/^It would end at once, with 1: kong-ts: --data-dir/, /^Kong runs, and no server has made the socket/],
  ],
  [
    'a plugin that does not load: its error, not the stack around it',
    async () => {
      await usual({ served: false });
      starts(
        "printf 'file:///p.ts:3\\nimport x\\n^\\n\\nError: Cannot find package zod\\n    at x\\n' >&2; exit 1",
      );
    },
    [/with 1: Error: Cannot find package zod$/, /no server has made the socket/],
  ],
  [
    'an old Node, by its first line',
    async () => {
      await usual({ served: false });
      const old =
        'echo "kong-ts needs Node.js 22.19 or later; this is 18.19.0." >&2; echo "    at x" >&2; exit 1';
      starts(old);
      queries(`${the.program(old, 'bin/old')} dump x.ts`);
    },
    [
      /^It ended with 1: kong-ts needs Node.js 22.19 or later; this is 18.19.0.$/,
      /^It would end at once, with 1: kong-ts needs Node.js 22.19/,
      /no server has made the socket/,
    ],
  ],
  [
    'no Node in the short PATH of a server that Kong starts',
    async () => {
      await usual({ served: false });
      starts('[ -n "$HOME" ] && exit 0; echo "/usr/bin/env: node: No such file or directory" >&2; exit 127');
    },
    [/with 127: \/usr\/bin\/env: node: No such file/, /no server has made the socket/],
  ],
  [
    'nobody listens, with Kong running',
    () => usual({ served: false }),
    [/^Kong runs, and no server has made the socket: .* 500/],
  ],
  [
    'nobody listens, with a Kong that is known by its pid alone',
    () => {
      the.plugin('js-one');
      the.write('pids/nginx.pid', `${String(process.pid)}\n`);
    },
    [/^Kong runs, and no server has made the socket: .* 500/],
  ],
  [
    'nobody listens, and the folder of the socket is not there, with Kong running',
    async () => {
      the.plugin('js-one', { socket: the.at('away/k.socket') });
      await the.admin();
    },
    [/^Kong runs, and no server has made the socket: .* 500/],
  ],
  [
    'the socket of a server that has ended',
    async () => {
      await usual({ served: false });
      await the.leaveSocket(k());
    },
    [/nobody listens: its server has ended/],
  ],
  [
    'a server without a worker',
    async () => {
      await usual({ served: false });
      await the.serve(k(), [the.dumpOf('js-one')], { workers: [{ state: 'starting' }] });
    },
    [/no worker that serves/],
  ],
  [
    'both protocols on one socket, of a Kong before 3.9',
    async () => {
      the.kong = '3.8';
      the.version = '3.8.0';
      await usual({ served: false });
      the.plugin('js-two', { protocol: 'MsgPack:1' });
      await the.serve(k(), [the.dumpOf('js-one'), the.dumpOf('js-two', { protocol: 'MsgPack:1' })]);
    },
    [/^Plugins of ProtoBuf:1 and MsgPack:1 share it/],
  ],
  [
    'a token that is set for kong start alone',
    async () => {
      await usual();
      the.environment = { KONG_TS_ADMIN_TOKEN: 'secret' };
      starts('exit 0', '--event-hooks-admin 127.0.0.1:8011');
    },
    [/^KONG_TS_ADMIN_TOKEN is set for kong start, and does not reach/],
  ],
  [
    'a variable that a plugin needs when it is loaded, set for kong start alone',
    async () => {
      await usual();
      the.environment = { LICENCE: 'x' };
      starts('[ "$LICENCE" = x ] || { echo "Error: no LICENCE" >&2; exit 1; }');
    },
    [/with 1: Error: no LICENCE$/],
  ],
  [
    'a name in plugins that nothing provides',
    async () => {
      await usual();
      the.conf.plugins = 'bundled,js-one,js-gone';
    },
    [/^It lists js-gone, which nothing provides/],
  ],
  [
    'a name in plugins with another spelling',
    async () => {
      await usual();
      the.conf.plugins = 'bundled,js_one';
    },
    [/^It does not list js-one/, /^It lists js_one, which nothing provides/],
  ],
  [
    'a name in plugins behind a space that is none for Kong',
    async () => {
      await usual();
      the.conf.plugins = 'bundled,\u00a0js-one';
    },
    [/^It does not list js-one/, /^It lists \u00a0js-one, which nothing provides/],
  ],
  [
    'a plugin that is not in plugins',
    async () => {
      await usual();
      the.conf.plugins = 'bundled';
      the.loaded.length = 0;
    },
    [/^It does not list js-one, so Kong does not load it/, /^The running Kong has not loaded it/],
  ],
  [
    'a pluginserver_names that is older than the properties',
    async () => {
      await usual();
      the.plugin('js-two');
      the.conf.pluginserver_names = 'js-one';
      the.loaded.pop();
    },
    [/^It lists js-two, which nothing provides/],
  ],
  [
    'no plugin server at all',
    async () => {
      await usual();
      the.conf.pluginserver_names = '';
    },
    [/^No plugin server is configured/, /^It lists js-one, which nothing provides/],
  ],
  [
    'a Kong that was not restarted since',
    async () => {
      await usual();
      the.loaded.length = 0;
    },
    [/^The running Kong has not loaded it/],
  ],
  [
    'a dump that is older than what is served',
    async () => {
      await usual();
      the.write('js-one.json', JSON.stringify(the.dumpOf('js-one', { version: '0.9.0' })));
    },
    [/^The dump of js-one is not that of the plugin that is served/],
  ],
  [
    'a dump of another protocol than what is served',
    async () => {
      await usual();
      the.write('js-one.json', JSON.stringify(the.dumpOf('js-one', { protocol: 'MsgPack:1' })));
    },
    [/^The dump of js-one is not that of the plugin that is served/],
  ],
  [
    'a server that serves other plugins',
    async () => {
      await usual();
      the.plugin('js-two');
    },
    [/^The server does not serve js-two, which its dump tells Kong of/],
  ],
  [
    'a plugin that the running server cannot load',
    async () => {
      await usual({ served: false });
      the.plugin('js-two');
      const failures = [{ spec: '/p/two.ts', message: 'Error: no package' }];
      await the.serve(k(), [the.dumpOf('js-one')], { failures });
    },
    [/^The server cannot load \/p\/two.ts: Error: no package/, /^The server does not serve js-two/],
  ],
  [
    'a socket path that the server does not use',
    async () => {
      await usual();
      the.conf.pluginserver_js_one_socket = the.at('other.socket');
    },
    [/^Kong connects to .*other.socket, and start_cmd serves .*k.socket/, /no server has made the socket/],
  ],
  [
    '.sock for .socket',
    async () => {
      the.plugin('js-one', { socket: the.at('k.sock') });
      await the.serve(k(), [the.dumpOf('js-one')]);
      await the.admin();
    },
    [/^It is not there, but .*k.socket is/],
  ],
  [
    'a file in place of the socket',
    async () => {
      await usual({ served: false });
      the.write('k.socket', '');
    },
    [/not a socket/],
  ],
  [
    'a socket that the nginx workers may not connect to',
    async () => {
      await usual();
      the.user = { uid: 65_000, gids: [65_000] };
      chmodSync(k(), 0o660);
    },
    [/^Its mode is 660 .* may not connect/],
  ],
  [
    'a folder that the nginx workers may not pass',
    async () => {
      the.user = { uid: 65_000, gids: [65_000] };
      mkdirSync(the.at('closed'), { mode: 0o700 });
      the.plugin('js-one', { socket: the.at('closed/k.socket') });
      await the.serve(the.at('closed/k.socket'), [the.dumpOf('js-one')]);
      await the.admin();
    },
    [/may not pass through .*closed/],
  ],
  [
    'a plugin file that the nginx workers may not read',
    async () => {
      await usual();
      the.user = { uid: 65_000, gids: [65_000] };
      chmodSync(the.at('plugin.ts'), 0o600);
    },
    [/may not read .*plugin.ts/],
  ],
  [
    'a query command that is not there',
    async () => {
      await usual();
      queries('/opt/away/kong-ts dump x.ts');
    },
    [/^\/opt\/away\/kong-ts is not there/],
  ],
  [
    'a dump that is not there',
    async () => {
      await usual();
      queries(`cat ${the.at('away.json')}`);
    },
    [/^It ended with 1: .*away.json: No such file/],
  ],
  [
    'a query command that prints something before its document',
    async () => {
      await usual();
      queries(the.program(`echo hello; cat ${the.at('js-one.json')}`, 'bin/query'));
    },
    [/not one JSON document; it begins with "hello/],
  ],
  [
    'several plugins in one dump of Kong 3.9',
    async () => {
      await usual();
      const [one, two] = [the.dumpOf('js-one'), the.dumpOf('js-two')];
      the.write('js-one.json', JSON.stringify({ ...one, Plugins: [...one.Plugins, ...two.Plugins] }));
    },
    [/^The dump lists 2 plugins; Kong 3.9 reads only the first one/],
  ],
  [
    'a server without a start command, of Kong 3.4',
    async () => {
      the.kong = '3.4';
      the.version = '3.4.2';
      the.plugin('js-one');
      await the.serve(k(), [the.dumpOf('js-one')]);
      await the.admin();
    },
    [/waits 20 s for such a server and then skips its plugins/],
  ],
  [
    'two servers for one socket',
    async () => {
      await usual({ served: false });
      the.plugin('js-two', { start: the.start() });
      await the.serve(k(), [the.dumpOf('js-one'), the.dumpOf('js-two')]);
    },
    [/^Several servers are started for one socket/],
  ],
  [
    'a dash in the name of a property',
    async () => {
      await usual();
      the.environment = { 'KONG_PLUGINSERVER_JS-ONE_SOCKET': k() };
    },
    [/^Kong does not know this property/],
  ],
  [
    'an Admin API where nobody listens',
    async () => {
      await usual();
      the.adminNowhere();
    },
    [/has no answer: .*ECONNREFUSED/],
  ],
  [
    'an Admin API that wants a token, and gets none',
    async () => {
      await usual();
      the.token = { asked: 'secret', given: null };
    },
    [/was answered with 401: Invalid RBAC credentials/],
  ],
  [
    'a proxy in place of the Admin API',
    async () => {
      await usual();
      the.answers.set('*', { status: 404, body: { message: 'no Route matched with those values' } });
    },
    [/was answered with 404: no Route matched/],
  ],
  [
    'a page of HTML in place of the Admin API',
    async () => {
      await usual();
      the.answers.set('*', { status: 200, server: 'nginx', body: '<html>Kong Manager</html>' });
    },
    [/not JSON/],
  ],
  [
    'JSON of something else in place of the Admin API',
    async () => {
      await usual();
      the.answers.set('*', { status: 200, server: 'grafana', body: { ok: true } });
    },
    [/is not an Admin API/],
  ],
  [
    'a Kong that has not taken the schema of the plugin',
    async () => {
      await usual();
      the.answers.set('/schemas/plugins/js-one', { status: 404, body: { message: 'Not found' } });
    },
    [/^Kong knows it, but has no schema of it/],
  ],
  [
    'a Kong that fails at the schema of the plugin',
    async () => {
      await usual();
      the.answers.set('/schemas/plugins/js-one', {
        status: 500,
        body: { message: 'An unexpected error occurred' },
      });
    },
    [/^The Admin API answered 500 when it was asked for the schema/],
  ],
  [
    'an Admin API that fails at everything',
    async () => {
      await usual();
      the.answers.set('*', { status: 500, body: { message: 'An unexpected error occurred' } });
    },
    [/was answered with 500: An unexpected error occurred/],
  ],
  [
    "Kong's Status API in place of the Admin API",
    async () => {
      await usual();
      for (const path of ['/plugins/enabled', '/schemas/services', '/schemas/plugins/js-one'])
        the.answers.set(path, { status: 404, body: { message: 'Not found' } });
    },
    [/^Kong 3.9.3 answers there, and it is not an Admin API/],
  ],
];

const errorsOf = (findings: readonly Finding[]): Finding[] => findings.filter((one) => one.level === 'error');

it.each(setUps)('names what is wrong: %s', async (_what, make, said) => {
  await make();
  const errors = errorsOf(await the.examine());
  expect(errors.map(({ says }) => says)).toEqual(
    said.map((pattern): unknown => expect.stringMatching(pattern)),
  );
  for (const { fix } of errors) expect(fix).not.toBeNull();
});
