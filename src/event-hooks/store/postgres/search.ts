import { stateNumber, toRecord } from '../rows.ts';
import type { RecordRow } from '../rows.ts';
import type { DeliverySearch, SearchPortion } from '../types.ts';
import type { Database } from './database.ts';
import * as sql from './queries.ts';

interface Row {
  readonly n: number | null;
  readonly hook: number;
  readonly hook_id: string;
  readonly all_looked: number;
  readonly last_seq: number;
  readonly last_hook: number;
}
const largest = Number.MAX_SAFE_INTEGER;

/** Looks at a portion of deliveries, newest first: those of one hook, or the dead ones of all. */
export async function search(database: Database, query: DeliverySearch): Promise<SearchPortion> {
  const { hookId, state, since, until, source, event, text, size, most } = query;
  const [seq, hook] = placeOf(query.before);
  const { rows } = await database.query(sql.search, [
    hookId,
    seq,
    hook,
    most,
    size,
    state === undefined ? null : stateNumber[state],
    since === undefined ? null : Math.ceil(since),
    until === undefined ? null : Math.ceil(until),
    source?.replaceAll('\0', '\ufffd') ?? null,
    event?.replaceAll('\0', '\ufffd') ?? null,
    text?.replaceAll('\0', '\ufffd') ?? null,
  ]);
  const all = rows as unknown as (Row & RecordRow)[];
  const found = all.filter(({ n }) => n !== null);
  const [any] = all;
  if (any === undefined) return { found: [], looked: 0, before: null };
  const last = found.length === size ? found.at(-1) : undefined;
  const records = found.map((row) => toRecord(row.hook_id, row));
  if (last !== undefined)
    return { found: records, looked: Number(last.n), before: textOf(last.seq, last.hook) };
  const looked = any.all_looked;
  return {
    found: records,
    looked,
    before: looked === most ? textOf(any.last_seq, any.last_hook) : null,
  };
}

const textOf = (seq: number, hook: number): string => `${String(seq)}.${String(hook)}`;
function placeOf(text: string | undefined): readonly [number, number] {
  const [, seq, hook] = /^(\d{1,15})\.(\d{1,15})$/.exec(text ?? '') ?? [];
  return seq === undefined ? [largest, largest] : [Number(seq), Number(hook)];
}
