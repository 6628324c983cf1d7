import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { KongTsError } from '../../base/errors.ts';
import { packageRoot } from '../../base/package.ts';

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly mode: 'ro' | 'rw';
}

/** How kong-ts is run in a container. */
export interface Runtime {
  /** The command, absolute, as Kong's short PATH needs it. */
  readonly command: readonly string[];
  readonly mounts: readonly Mount[];
}

/** Images with Node and kong-ts in them say with this label what runs kong-ts. */
export const runtimeLabel = 'io.kong-ts.runtime';

const folder = '/usr/local/lib/kong-ts-host';

/**
 * The image's own kong-ts, else this machine's Node and kong-ts, mounted.
 * @throws KongTsError CONTAINER_FAILED on a machine whose Node does not run in a Linux container
 */
export function runtimeOf(image: string, labels: Readonly<Record<string, string>>): Runtime {
  const command = labels[runtimeLabel];
  if (command !== undefined && command !== '') return { command: [command], mounts: [] };
  if (process.platform !== 'linux')
    throw new KongTsError(
      'CONTAINER_FAILED',
      `The image "${image}" has no kong-ts in it, and the Node of this machine (${process.platform}) does not run in it.`,
      { fix: "Build an image from kong-ts's docker/Dockerfile and name it with the option image." },
    );
  const own = fileURLToPath(packageRoot).replace(/\/$/, '');
  const modules = own.indexOf('/node_modules/');
  const root = modules < 0 ? own : own.slice(0, modules);
  return {
    command: [`${folder}/node`, path.posix.join(folder, 'package', own.slice(root.length), 'bin/kong-ts.js')],
    mounts: [
      { source: process.execPath, target: `${folder}/node`, mode: 'ro' },
      { source: root, target: `${folder}/package`, mode: 'ro' },
    ],
  };
}
