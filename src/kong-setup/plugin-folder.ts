import { existsSync } from 'node:fs';
import path from 'node:path';

/**
 * The folder that a container has to mount so that a plugin's file finds its imports. It is the nearest folder with
 * `node_modules`, else the nearest one with a package.json, else the file's own.
 * @param file absolute
 */
export function pluginFolder(file: string): string {
  const [project = '', inside] = file.split('/node_modules/', 2);
  if (inside !== undefined && project !== '') return project;
  const own = path.dirname(file);
  for (let folder = own; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json'))) return folder;
  }
  return own;
}
