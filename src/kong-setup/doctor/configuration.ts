import { existsSync } from 'node:fs';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { readText } from '../../base/read-text.ts';
import { propertyName } from '../settings.ts';
import type { KongFacts } from '../versions.ts';

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

/** Lua's spaces are ASCII alone: a no-break space, as pages of the web have it, is part of a name or a value. */
const setting = /^[\t-\r ]*([\w.-]+)[\t-\r ]*=[\t-\r ]*(.*?)[\t-\r ]*$/;
const comment = /[\t-\r ]*(?<!\\)#.*$/;
const around = /^[\t-\r ]+|[\t-\r ]+$/g;

/** The properties in a kong.conf: `key = value`; `#` starts a comment, `\#` is the character. Names are in lower case (Kong 3.9.3). */
export function parseKongConf(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = setting.exec(line.replace(comment, ''));
    const [, name = '', value = ''] = match ?? [];
    if (name !== '' && name === name.toLowerCase()) properties.set(name, value.replaceAll('\\#', '#'));
  }
  return properties;
}

/** The `KONG_` variables of an environment; they win over kong.conf (Kong 3.9.3). */
export function parseEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Map<string, string> {
  const properties = new Map<string, string>();
  for (const [key, value] of Object.entries(environment)) {
    // Kong asks for the names in upper case: it never sees `KONG_Plugins` or `kong_plugins`.
    if (!key.startsWith('KONG_') || key !== key.toUpperCase() || value === undefined) continue;
    properties.set(key.slice(5).toLowerCase(), value);
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

export const listOf = (value: string | undefined): string[] =>
  (value ?? '')
    .split(',')
    .map((part) => part.replace(around, ''))
    .filter((part) => part !== '' && part !== 'off');

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
  // An empty value counts as none for Kong: so a variable of an image is switched off.
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
