import type { FunctionRow } from '../../pdk/catalogue.ts';
import { rowByName } from '../../pdk/catalogue.ts';

/** The catalogue's row of a function, null when it has none. */
export function findFunction(name: string): FunctionRow | null {
  return rowByName(name);
}
