import { anyName } from './types.ts';
import type { Rights } from './types.ts';

/** The rights where one process has all of them under one epoch. @param epoch null: another process has them */
export function allOrNothing(epoch: number | null): Rights {
  // Whoever waits looks often, so that a takeover is quick.
  if (epoch === null) return { epochs: new Map(), surplus: 0, againMs: 100 };
  return { epochs: new Map([[anyName, epoch]]), surplus: 0, againMs: 500 };
}
