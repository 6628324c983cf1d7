import type { FunctionRow } from '../../pdk/index.ts';
import { rowByName } from '../../pdk/index.ts';

/** The catalogue's row of a function, null when it has none. */
export function findFunction(name: string): FunctionRow | null {
  return rowByName(name);
}
