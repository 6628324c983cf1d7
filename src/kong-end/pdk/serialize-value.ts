import { setOwn } from '../../base/set-own.ts';
import type { SerializeValue } from '../request/exchange.ts';
import { reject } from './checks.ts';

type Table = Record<string, unknown>;

/**
 * Puts one value of kong.log.set_serialize_value in its place, as Kong 3.9.3 does (read in its kong/pdk/log.lua): every
 * dot but a first character nests, and nothing escapes one (Kong 3.10 is the first to read `\.`).
 *
 * @throws PdkRejection when the key leads through a value that is not a table
 */
export function editRecord(record: Table, { key, value, mode }: SerializeValue): void {
  const names = subkeys(key);
  const last = names.pop() ?? key;
  let node = record;
  for (const name of names) {
    const next = Object.hasOwn(node, name) ? node[name] : null;
    if (next === null || next === undefined) {
      if (mode === 'replace') return;
      node = putTable(node, name, Object.create(null) as Table);
    } else if (typeof next !== 'object') {
      reject(`The key '${key}' could not be used as a serialize value. Subkey '${name}' is not a table.`);
    } else node = putTable(node, name, tableOf(next));
  }
  const exists = Object.hasOwn(node, last) && node[last] !== null && node[last] !== undefined;
  if (mode === 'set' || (mode === 'add' && !exists) || (mode === 'replace' && exists))
    setOwn(node, last, value);
}

function subkeys(key: string): string[] {
  const rest = key.slice(1).split('.');
  return [key.slice(0, 1) + (rest[0] ?? ''), ...rest.slice(1)];
}

/** A copy with names; a list of Lua counts from one. */
const tableOf = (value: object): Table =>
  Array.isArray(value)
    ? Object.fromEntries(value.map((item: unknown, at): [string, unknown] => [String(at + 1), item]))
    : { ...value };

function putTable(parent: Table, name: string, table: Table): Table {
  setOwn(parent, name, table);
  return table;
}
