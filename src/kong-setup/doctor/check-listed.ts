import { existsSync } from 'node:fs';
import path from 'node:path';
import { bundledPlugins } from '../../kong-admin/index.ts';
import type { Properties } from '../kong-conf.ts';
import { pluginsOf } from '../kong-conf.ts';
import type { Finding } from './finding.ts';
import { error, ok, warning } from './finding.ts';

/** Where Kong's image and packages keep Lua modules. */
const luaFolders = ['/usr/local/share/lua/5.1', '/usr/local/openresty/luajit/share/lua/5.1'];

/**
 * Compares Kong's `plugins` list with the dumps. A plugin of a dump has to be in the list. A name in the list that
 * nothing provides keeps Kong from starting.
 * @param dumped the names of the plugins in the dumps
 * @param unread the names of the servers whose dumps could not be read; their plugins are not known
 * @param exists whether a file is there, as Kong sees it
 */
export function checkListed(
  properties: Properties,
  dumped: readonly string[],
  unread: readonly string[] = [],
  exists: (file: string) => boolean = existsSync,
): Finding[] {
  const listed = pluginsOf(properties);
  const references = listed.filter((name) => isReference.test(name));
  const missing = dumped.map((plugin) =>
    listed.includes(plugin)
      ? ok('plugins', `lists ${plugin}.`)
      : (references.length > 0 ? warning : error)(
          'plugins',
          `It does not list ${plugin}, so Kong does not load it.`,
          `Set plugins = ${[...listed, plugin].join(',')}.`,
        ),
  );
  const folders = luaPath(properties.get('lua_package_path'));
  const unknown = listed.filter(
    (name) =>
      name !== 'bundled' &&
      !references.includes(name) &&
      !dumped.includes(name) &&
      !bundledPlugins.includes(name) &&
      !folders.some((pattern) => exists(pattern.replaceAll('?', `kong/plugins/${name}/handler`))),
  );
  return [
    ...missing,
    ...references.map((name) =>
      warning(
        'plugins',
        `It lists what ${name} holds, which is not known here.`,
        'See to it that it names a plugin.',
      ),
    ),
    ...unknown
      .filter((name) => !unread.some((server) => alike(server) === alike(name)))
      .map((name) => (unread.length === 0 ? unprovided(name, dumped) : perhapsUnread(name, unread))),
  ];
}

/** Kong reads what such an entry names from a vault. */
const isReference = /^\{vault:\/\/.+\}$/;

function perhapsUnread(name: string, unread: readonly string[]): Finding {
  return warning(
    'plugins',
    `It lists ${name}, and the dump of ${unread.join(', ')} cannot be read: whether it provides ${name} is not known.`,
    'Mend the query_cmd first, then run kong-ts doctor again.',
  );
}

function unprovided(name: string, dumped: readonly string[]): Finding {
  const meant = dumped.find((other) => alike(other) === alike(name));
  return error(
    'plugins',
    `It lists ${name}, which nothing provides: no plugin server's dump, no plugin of Kong's own and no Lua file seen from here. Kong does not start.`,
    meant === undefined
      ? 'Take it out of plugins, or add its server to pluginserver_names; run kong-ts doctor where Kong runs if it is a Lua plugin there.'
      : `Write ${meant}, as its dump says it.`,
  );
}

/** Names that people take for one another: `js_one`, `js-one` and `JsOne`. */
const alike = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** The patterns of a `lua_package_path` (`./?.lua;/opt/?.lua;;`), with Kong's own folders behind them. */
function luaPath(value = ''): string[] {
  const given = value
    .split(';')
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern.includes('?'));
  return [...given, ...luaFolders.map((folder) => path.posix.join(folder, '?.lua'))];
}
