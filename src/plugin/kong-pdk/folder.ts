import { readdirSync } from 'node:fs';
import path from 'node:path';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { findPlugin } from '../find.ts';
import { loadPlugin } from '../loader.ts';
import type { CompiledPlugin } from '../types.ts';

export interface FolderPlugin {
  readonly file: string;
  readonly plugin: CompiledPlugin;
}

/**
 * Loads every plugin in a folder, as kong-js-pluginserver does: files .js .ts .cjs (and .mjs, .cts, .mts), folders
 * that are packages; nothing that starts with a dot, no node_modules. What does not load is reported and left out.
 *
 * @throws KongTsError FILE_UNREADABLE when the folder cannot be read
 */
export async function loadFolder(folder: string, warn: (text: string) => void): Promise<FolderPlugin[]> {
  const absolute = path.resolve(folder);
  const loaded = new Map<string, FolderPlugin>();
  for (const name of candidates(absolute)) {
    try {
      const file = findPlugin(path.join(absolute, name), absolute);
      const plugin = await loadPlugin(file);
      const other = loaded.get(plugin.name);
      if (other === undefined) loaded.set(plugin.name, { file, plugin });
      else
        warn(
          `Plugin "${plugin.name}" is loaded from ${other.file}; ${file} has the same name and is left out.`,
        );
    } catch (error) {
      warn(messageOf(error));
    }
  }
  return [...loaded.values()];
}

function candidates(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.') && name !== 'node_modules')
      .filter((entry) => !entry.isFile() || /(?<!\.d)\.[cm]?[jt]s$/.test(entry.name))
      .map(({ name }) => name)
      .sort();
  } catch (cause) {
    throw new KongTsError(
      'FILE_UNREADABLE',
      `The plugins directory ${folder} cannot be read: ${messageOf(cause)}.`,
      {
        cause,
        fix: 'Give the folder that holds the plugin files: -d DIR.',
      },
    );
  }
}
