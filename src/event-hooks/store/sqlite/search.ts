import type { SqliteFile, SqliteValue } from '../../../sqlite/index.ts';
import type { DeliverySearch, EventQuery, PastEvent, SearchPortion } from '../types.ts';
import { asText, wholeNumber } from './columns.ts';
import { recordColumns } from './shown.ts';
import { stateNumber, toRecord } from '../rows.ts';
import type { RecordRow } from '../rows.ts';

interface Place {
  seq: number;
  hook: number;
}
/** A part of a statement, and what stands for its question marks. */
interface Condition {
  sql: string;
  values: SqliteValue[];
}
const largest: Place = { seq: Number.MAX_SAFE_INTEGER, hook: Number.MAX_SAFE_INTEGER };

/**
 * Looks at a portion of deliveries, newest first: those of one hook, or the dead ones of all. The portion's end is found
 * first, in the key or the index alone; only deliveries before it are read.
 * @param numbers of the hooks in the file, by their ids
 */
export function search(
  file: SqliteFile,
  query: DeliverySearch,
  numbers: ReadonlyMap<string, number>,
): SearchPortion {
  const nothing = { found: [], looked: 0, before: null };
  const hook = query.hookId === null ? null : numbers.get(query.hookId);
  if (hook === undefined) return nothing;
  const among: Condition =
    hook === null ? { sql: 'd.state = 3', values: [] } : { sql: 'd.hook = ?', values: [hook] };
  const from = placeOf(query.before) ?? largest;
  const below: Condition = { sql: '(d.seq, d.hook) < (?, ?)', values: [from.seq, from.hook] };
  const end = file.get<Place>(
    `SELECT ${wholeNumber('d.seq')} AS seq, ${wholeNumber('d.hook')} AS hook FROM deliveries d WHERE ${among.sql} AND ${below.sql} ORDER BY d.seq DESC, d.hook DESC LIMIT 1 OFFSET ?`,
    ...among.values,
    ...below.values,
    Math.max(0, query.most - 1),
  );
  const until = (place: Place): Condition => ({
    sql: '(d.seq, d.hook) >= (?, ?)',
    values: [place.seq, place.hook],
  });
  const last = end ?? { seq: 0, hook: 0 };
  const where = joined([among, below, until(last), ...filtersOf(query)]);
  // CROSS JOIN: deliveries first, in their order.
  const rows = file.all<RecordRow & { hook: number }>(
    `SELECT ${recordColumns}, ${wholeNumber('d.hook')} AS hook FROM deliveries d CROSS JOIN events e ON e.seq = d.seq WHERE ${where.sql} ORDER BY d.seq DESC, d.hook DESC LIMIT ?`,
    ...where.values,
    query.size,
  );
  const ids = new Map([...numbers].map(([id, number]) => [number, id]));
  const found = rows.flatMap((row) => {
    const id = ids.get(row.hook);
    return id === undefined ? [] : [toRecord(id, row)];
  });
  const lastFound = rows.length === query.size ? rows.at(-1) : undefined;
  const stopped = lastFound ?? end;
  const range = joined([among, below, until(stopped ?? last)]);
  const looked = file.get<{ n: number }>(
    `SELECT count(*) AS n FROM deliveries d WHERE ${range.sql}`,
    ...range.values,
  );
  return { found, looked: looked?.n ?? 0, before: stopped === undefined ? null : textOf(stopped) };
}

const joined = (conditions: readonly Condition[]): Condition => ({
  sql: conditions.map(({ sql }) => sql).join(' AND '),
  values: conditions.flatMap(({ values }) => values),
});

function filtersOf({ state, since, until, source, event, text }: DeliverySearch): Condition[] {
  const filters: Condition[] = [];
  if (state !== undefined) filters.push({ sql: 'd.state = ?', values: [stateNumber[state]] });
  if (since !== undefined) filters.push({ sql: 'e.at >= ?', values: [since] });
  if (until !== undefined) filters.push({ sql: 'e.at < ?', values: [until] });
  if (source !== undefined) filters.push({ sql: 'e.source = ?', values: [source] });
  if (event !== undefined) filters.push({ sql: 'e.event = ?', values: [event] });
  if (text !== undefined)
    filters.push({
      sql: '(instr(d.error, ?) > 0 OR instr(d.response, ?) > 0 OR instr(e.payload, ?) > 0)',
      values: [text, text, text],
    });
  return filters;
}

const textOf = ({ seq, hook }: Place): string => `${String(seq)}.${String(hook)}`;
function placeOf(text: string | undefined): Place | null {
  const [, seq, hook] = /^(\d{1,16})\.(\d{1,16})$/.exec(text ?? '') ?? [];
  return seq === undefined ? null : { seq: Number(seq), hook: Number(hook) };
}

/** How many of the latest events are looked at for those of one source. */
const mostLooked = 20_000;

export function recentEvents(
  file: SqliteFile,
  { source, event, id, size, mostSize = Infinity }: EventQuery,
): PastEvent[] {
  const columns = ['id', 'source', 'event', 'payload'].map((name) => `${asText(name)} AS ${name}`).join(', ');
  const where = joined([
    id === undefined
      ? { sql: 'seq > (SELECT coalesce(max(seq), 0) - ? FROM events)', values: [mostLooked] }
      : { sql: 'id = ?', values: [id] },
    { sql: 'source = ?', values: [source] },
    ...(event === undefined ? [] : [{ sql: 'event = ?', values: [event] }]),
  ]);
  return file
    .until<PastEvent>(
      ({ payload }) => payload.length,
      mostSize,
      `SELECT ${columns}, ${wholeNumber('at')} AS at FROM events WHERE ${where.sql} ORDER BY seq DESC LIMIT ?`,
      ...where.values,
      size,
    )
    .map((row) => ({ ...row }));
}

/**
 * How many deliveries of each hook wait and are dead. Both are in an index.
 * @param numbers of the hooks in the file, by their ids
 */
export function waitingAndDead(
  file: SqliteFile,
  numbers: ReadonlyMap<string, number>,
): Map<string, { waiting: number; dead: number }> {
  const found = new Map<number, { waiting: number; dead: number }>();
  for (const [state, name] of [
    [1, 'waiting'],
    [3, 'dead'],
  ] as const) {
    const rows = file.each<{ hook: number; n: number }>(
      `SELECT ${wholeNumber('hook')} AS hook, count(*) AS n FROM deliveries WHERE state = ${String(state)} GROUP BY 1`,
    );
    for (const { hook, n } of rows) {
      const counts = found.get(hook) ?? { waiting: 0, dead: 0 };
      counts[name] = n;
      found.set(hook, counts);
    }
  }
  const none = { waiting: 0, dead: 0 };
  return new Map([...numbers].map(([id, number]) => [id, found.get(number) ?? none]));
}
