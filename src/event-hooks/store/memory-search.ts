import type { DeliveryRecord, DeliverySearch, SearchPortion } from './types.ts';

/** A delivery's place in the order of a search: by event, then by hook. */
interface Place {
  readonly seq: number;
  readonly hookId: string;
}

/** A delivery that a search may look at; its record is made where it is looked at. */
export interface Looked extends Place {
  readonly record: () => DeliveryRecord;
}

const isBelow = (a: Place, b: Place): boolean => a.seq < b.seq || (a.seq === b.seq && a.hookId < b.hookId);

/**
 * Looks at a portion of deliveries, newest first.
 * @param deliveries those of one hook, or the dead ones of all, in any order
 */
export function searchIn(deliveries: readonly Looked[], query: DeliverySearch): SearchPortion {
  const from = placeOf(query.before);
  const left = (from === null ? [...deliveries] : deliveries.filter((one) => isBelow(one, from))).sort(
    (a, b) => (isBelow(a, b) ? 1 : -1),
  );
  const found: DeliveryRecord[] = [];
  for (const [index, one] of left.entries()) {
    const record = one.record();
    if (fulfils(record, query)) found.push(record);
    const looked = index + 1;
    if (found.length < query.size && looked < query.most) continue;
    return { found, looked, before: `${String(one.seq)}.${one.hookId}` };
  }
  return { found, looked: left.length, before: null };
}

function fulfils(record: DeliveryRecord, query: DeliverySearch): boolean {
  const { state, since, until, source, event, text } = query;
  if (state !== undefined && record.state !== state) return false;
  if (since !== undefined && record.at < since) return false;
  if (until !== undefined && record.at >= until) return false;
  if (source !== undefined && record.source !== source) return false;
  if (event !== undefined && record.event !== event) return false;
  return (
    text === undefined ||
    [record.payload, record.error, record.response].some((one) => one?.includes(text) === true)
  );
}

function placeOf(text: string | undefined): Place | null {
  const [, seq, hookId] = /^(\d{1,16})\.(.*)$/su.exec(text ?? '') ?? [];
  return seq === undefined || hookId === undefined ? null : { seq: Number(seq), hookId };
}
