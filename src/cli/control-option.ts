import { resolve } from 'node:path';
import { KongTsError } from '../base/errors.ts';

/** How a command finds the control socket of a running server. */
export interface ControlFlags {
  socket?: string;
  control?: string;
}

/** @throws KongTsError USAGE when neither option was given */
export function controlSocket({ socket, control }: ControlFlags): string {
  if (control !== undefined) return resolve(control);
  if (socket !== undefined) return `${resolve(socket.replace(/^[^/=]+=/, ''))}.ctl`;
  throw new KongTsError(
    'USAGE',
    'Which server? Give the --socket PATH or the --control PATH it was started with.',
  );
}
