import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { readText } from '../../base/read-text.ts';
import type { Protocol } from '../../pdk/names/index.ts';
import type { KnownPlugin } from '../entities/types.ts';

const run = promisify(execFile);

/** A plugin as a server's dump describes it. */
export interface DumpedPlugin extends KnownPlugin {
  readonly protocol: Protocol;
}

/**
 * Runs a query command as Kong does (a shell with a short PATH, `exec` in front) and returns what it prints.
 *
 * @throws KongTsError PLUGIN_SERVER_UNREACHABLE when the command fails or takes more than 60 s
 */
export async function runQueryCommand(server: string, command: string): Promise<string> {
  try {
    const { stdout } = await run('/bin/sh', ['-c', `exec ${command}`], {
      timeout: 60_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const stderr = (error as { stderr?: unknown }).stderr;
    throw new KongTsError(
      'PLUGIN_SERVER_UNREACHABLE',
      `The query command of plugin server "${server}" failed (${command}): ${
        typeof stderr === 'string' && stderr.trim() !== '' ? stderr.trim() : messageOf(error)
      }`,
      { cause: error, fix: 'It must print the dump of the plugin; use absolute paths, no "VAR=1 cmd".' },
    );
  }
}

/** Reads a dump that was saved to a file. @throws KongTsError FILE_UNREADABLE */
export function readDumpFile(file: string): string {
  try {
    return readText(file);
  } catch (error) {
    throw new KongTsError('FILE_UNREADABLE', `The dump "${file}" cannot be read: ${messageOf(error)}.`, {
      cause: error,
      fix: 'Write it with `kong-ts dump <plugin> > FILE`.',
    });
  }
}

/**
 * The plugin of a dump. Kong 3.9 reads the first one only.
 *
 * @returns the plugin, and how many more the dump lists
 * @throws KongTsError PLUGIN_INVALID when the text is not a dump
 */
export function parseDump(server: string, text: string): { plugin: DumpedPlugin; ignored: number } {
  const invalid = (why: string): KongTsError =>
    new KongTsError('PLUGIN_INVALID', `The dump of plugin server "${server}" ${why}.`, {
      fix: 'The query command must print one JSON document {"Protocol", "Plugins"} and nothing else.',
    });
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw invalid(`is not JSON (${messageOf(error)})`);
  }
  const bare = Array.isArray(document);
  const { Protocol: named, Plugins: list } = (bare ? { Plugins: document } : (document ?? {})) as {
    Protocol?: unknown;
    Plugins?: unknown;
  };
  const protocol: Protocol = named === 'ProtoBuf:1' ? 'protobuf' : 'msgpack';
  if (named !== undefined && named !== 'ProtoBuf:1' && named !== 'MsgPack:1')
    throw invalid(`names the protocol ${JSON.stringify(named)}; Kong knows ProtoBuf:1 and MsgPack:1`);
  const plugins = Array.isArray(list) ? (list as unknown[]) : [];
  const first = plugins[0] as Record<string, unknown> | null | undefined;
  if (first === undefined || first === null || typeof first !== 'object') throw invalid('lists no plugin');
  const { Name, Version, Priority, Phases, Schema } = first;
  if (typeof Name !== 'string' || Name === '') throw invalid('has a plugin without Name');
  if (!Array.isArray(Phases)) throw invalid(`has no Phases for ${Name}`);
  if (typeof Schema !== 'object' || Schema === null) throw invalid(`has no Schema for ${Name}`);
  if (!Number.isInteger(Priority))
    throw invalid(`has no Priority for ${Name} that is an integer, so that Kong does not load the plugin`);
  const version = cleanVersion(Version);
  if (version === null)
    throw invalid(`has no Version "x.y.z" for ${Name}, so that Kong does not load the plugin`);
  return {
    plugin: {
      name: Name,
      version,
      priority: Number(Priority),
      phases: Phases.map(String),
      schema: { name: Name, ...Schema } as DumpedPlugin['schema'],
      protocol,
    },
    ignored: plugins.length - 1,
  };
}

/** The numbers of a version, as Kong keeps them: up to three, text around them is left out. Null: it has none. */
function cleanVersion(version: unknown): string | null {
  if (typeof version !== 'string') return null;
  const numbers =
    /\d[\d.]*/
      .exec(version)?.[0]
      .split('.')
      .filter((part) => part !== '') ?? [];
  return numbers.length === 0 || numbers.length > 3 ? null : numbers.join('.');
}
