import type { FunctionRow } from '../../pdk/catalogue/index.ts';
import { rowByName } from '../../pdk/catalogue/index.ts';

/** The catalogue's row of a function, null when it has none. */
export function findFunction(name: string): FunctionRow | null {
  return rowByName(name);
}
