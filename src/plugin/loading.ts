import type { FolderPlugin } from './kong-pdk/folder.ts';
import type { LoadOptions } from './loader.ts';
import type { CompiledPlugin } from './types.ts';

/**
 * Loads a plugin. It imports the loader first, so that programs which only ask about plugins go without. See loader.ts.
 * @throws KongTsError PLUGIN_NOT_FOUND, PLUGIN_LOAD_FAILED or PLUGIN_INVALID
 */
export async function loadPlugin(spec: string, options?: LoadOptions): Promise<CompiledPlugin> {
  return (await import('./loader.ts')).loadPlugin(spec, options);
}

/** Loads every plugin in a folder, as kong-js-pluginserver does. See kong-pdk/folder.ts. @throws KongTsError FILE_UNREADABLE */
export async function loadFolder(folder: string, warn: (text: string) => void): Promise<FolderPlugin[]> {
  return (await import('./kong-pdk/folder.ts')).loadFolder(folder, warn);
}
