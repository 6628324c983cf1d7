import type { Delivery, DeliveryNotice } from '../api/types.ts';

/** How many rows a list shows of what happens while it is looked at. */
export const mostLiveRows = 200;

/** A list with what has happened since: known deliveries change in their place, new ones come first. */
export function mergeRows(rows: readonly Delivery[], notices: Iterable<DeliveryNotice>): Delivery[] {
  const latest = new Map<string, DeliveryNotice>();
  for (const notice of notices) latest.set(notice.id, notice);
  const changed = rows.map((row) => {
    const notice = latest.get(row.id);
    latest.delete(row.id);
    return notice === undefined ? row : changeRow(row, notice);
  });
  const added = [...latest.values()].reverse().map((notice) => changeRow(newRow(notice), notice));
  return [...added, ...changed].slice(0, Math.max(rows.length, mostLiveRows));
}

function changeRow(
  row: Delivery,
  { state, attempts, status, latency_ms, error, at }: DeliveryNotice,
): Delivery {
  return { ...row, state, attempts, status, latency_ms, error, finished_at: at, next_attempt_at: null };
}

function newRow({ id, event_hook, source, event, at, state }: DeliveryNotice): Delivery {
  return {
    id,
    event_hook,
    // A delivery's id is its event's and its hook's.
    event_id: id.split('_', 1)[0] ?? id,
    source,
    event,
    state,
    attempts: 0,
    status: null,
    latency_ms: null,
    error: null,
    response: null,
    created_at: at,
    finished_at: null,
    next_attempt_at: null,
    payload: null,
  };
}
