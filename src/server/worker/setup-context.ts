import { join } from 'node:path';
import { KongTsError, messageOf } from '../../base/errors.ts';
import { makePrivateFolder } from '../../unix/index.ts';

/**
 * The folder of a plugin below the server's --data-dir. Makes the folder if it does not exist. Null without --data-dir.
 * @throws KongTsError FILE_UNREADABLE when it cannot be made
 */
export function pluginDataDir(dataDir: string | null, plugin: string): string | null {
  if (dataDir === null) return null;
  const folder = join(dataDir, 'plugins', encodeURIComponent(plugin));
  try {
    makePrivateFolder(dataDir, (name) => name === 'plugins' || name === 'event-hooks');
    makePrivateFolder(join(dataDir, 'plugins'), () => true);
    makePrivateFolder(folder, () => true);
  } catch (error) {
    throw new KongTsError('FILE_UNREADABLE', `The folder ${folder} cannot be made: ${messageOf(error)}.`, {
      cause: error,
      fix: 'Let --data-dir be a folder that this user can write to.',
    });
  }
  return folder;
}
