import { existsSync } from 'node:fs';
import { KongTsError, messageOf } from '../base/errors.ts';
import { readText } from '../base/read-text.ts';
import { propertyName } from './settings.ts';
import type { KongFacts } from './versions.ts';

/** Kong's properties by their name in kong.conf (lower case, without `KONG_`), as strings. */
export type Properties = ReadonlyMap<string, string>;

/** One plugin server as Kong's configuration describes it. */
export interface ServerDefinition {
  readonly name: string;
  /** `pluginserver_<name>`, what its properties start with. */
  readonly prefix: string;
  readonly socket: string;
  readonly socketIsDefault: boolean;
  readonly queryCommand: string | null;
  readonly startCommand: string | null;
}

/** Only ASCII has spaces for Lua. A no-break space, as web pages have it, is part of a name or a value. */
const around = /^[\t-\r ]+|[\t-\r ]+$/g;
const strip = (text: string): string => text.replace(around, '');
const comment = /[\t-\r ]*(?<!\\)#.*$/;

/**
 * The properties in a kong.conf, read as Kong's library does (Penlight 1.13, `pl.config`):
 * - A line is `key = value`. A character of the key that is not a letter or digit counts as `_`.
 * - A `\` at the end of a line continues it, past comments.
 * - A line that begins with `#` or `;` is a comment.
 * - Lines after a `[section]` are not Kong's.
 * - A `#` ends a value, and `\#` is the character (Kong itself).
 * - Names are in lower case (Kong 3.9.3).
 */
export function parseKongConf(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of joinedLines(text)) {
    if (line.startsWith('[')) break;
    const at = line.indexOf('=');
    if (at < 0) continue;
    const name = strip(line.slice(0, at)).replaceAll(/[^A-Za-z0-9]/g, '_');
    const value = strip(line.slice(at + 1))
      .replace(comment, '')
      .replaceAll('\\#', '#');
    if (name !== '' && name === name.toLowerCase()) properties.set(name, value);
  }
  return properties;
}

/** Lines with those that continue them; blank lines and comments are left out, also between the two. */
function* joinedLines(text: string): Generator<string> {
  let begun = '';
  for (const line of text.split('\n')) {
    if (/^[\t-\r ]*(?:[;#]|$)/.test(line)) continue;
    const end = /\\[\t-\r ]*$/.exec(line);
    if (end === null) {
      yield begun + line;
      begun = '';
    } else begun += line.slice(0, end.index);
  }
}

/** The `KONG_` variables of an environment; they win over kong.conf (Kong 3.9.3). */
export function parseEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Map<string, string> {
  const properties = new Map<string, string>();
  for (const [key, value] of Object.entries(environment)) {
    // Kong asks for the names in upper case: it never sees `KONG_Plugins` or `kong_plugins`.
    if (!key.startsWith('KONG_') || key !== key.toUpperCase() || value === undefined) continue;
    properties.set(key.slice(5).toLowerCase(), strip(value));
  }
  return properties;
}

/** An env file: `KEY=value` lines, quotes around a value are taken off. */
export function parseEnvFile(text: string): Record<string, string> {
  const result: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^\s*(?:export\s+)?([\w.-]+)=(.*)$/.exec(line);
    if (match?.[1] !== undefined) result[match[1]] = (match[2] ?? '').trim().replace(/^(["'])(.*)\1$/, '$2');
  }
  return result;
}

/** @throws KongTsError FILE_UNREADABLE */
export function readSettings(file: string): string {
  try {
    return readText(file);
  } catch (thrown) {
    throw new KongTsError('FILE_UNREADABLE', `${file} cannot be read: ${messageOf(thrown)}.`, {
      cause: thrown,
    });
  }
}

/** The entries of a list. */
export const listOf = (value: string | undefined): string[] =>
  (value ?? '')
    .split(',')
    .map(strip)
    .filter((part) => part !== '');

/** The plugins that Kong loads: `off` in the first place switches all off, later it says nothing (Kong 3.9.3). */
export function pluginsOf(properties: Properties): string[] {
  const [first, ...rest] = listOf(properties.get('plugins') ?? 'bundled');
  return first === undefined || first === 'off' ? [] : [first, ...rest.filter((name) => name !== 'off')];
}

/** Where Kong looks for the program of a plugin server that no property names. */
const programs = '/usr/local/bin';

/**
 * The plugin servers that the properties describe, with the defaults that this Kong fills in for sockets and commands
 * (read in Kong 2.8.1, 3.4.2, 3.8.1 and 3.9.3).
 * @param exists whether a file is there, as Kong sees it
 */
export function serversOf(
  properties: Properties,
  facts: KongFacts,
  exists: (file: string) => boolean = existsSync,
): ServerDefinition[] {
  // To Kong an empty value is not a value. That is how a variable of an image is switched off.
  const given = (key: string): string | undefined => {
    const value = properties.get(key);
    return value === '' ? undefined : value;
  };
  const recent = !facts.manyPluginsPerServer;
  const folder = recent ? (given('prefix') ?? '/usr/local/kong') : '/usr/local/kong';
  const ifThere = (file: string, words = ''): string | null => (exists(file) ? `${file}${words}` : null);
  return listOf(properties.get('pluginserver_names')).map((name) => {
    const prefix = `pluginserver_${propertyName(name)}`;
    const program = `${programs}/${name.toLowerCase()}`;
    const socket = given(`${prefix}_socket`);
    return {
      name,
      prefix,
      socket: socket ?? `${folder}/${name.toLowerCase()}.socket`,
      socketIsDefault: socket === undefined,
      queryCommand:
        given(`${prefix}_query_cmd`) ??
        (recent ? ifThere(program, ' -dump') : ifThere(`${programs}/query_${name.toLowerCase()}`)),
      startCommand: given(`${prefix}_start_cmd`) ?? ifThere(program),
    };
  });
}
