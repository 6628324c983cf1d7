import { parseExactFields } from '../../model/payload.ts';
import type { Notice } from '../../dispatcher/feed.ts';

/** The kinds of rows of the live view. */
export const rowTypes = ['event', 'delivery', 'received', 'hooks', 'replay'] as const;
export type RowType = (typeof rowTypes)[number];

/** One thing that has happened, as the live view shows it. */
export interface Row {
  readonly type: RowType;
  /** What it can be filtered by. */
  readonly hook: string | null;
  readonly source: string | null;
  readonly event: string | null;
  readonly state: string | null;
  /** JSON in one line, with the payload or without it. */
  readonly text: (withPayload: boolean) => string;
}

/** Longer data are not shown live. Characters. */
const longestData = 4096;

const seconds = (ms: number): number => ms / 1000;

/** A row of what the dispatcher says. */
export function rowOf(notice: Notice): Row {
  if (notice.type === 'event') return eventRow(notice);
  const { id, hook, source, event, at, state, attempts, status, latencyMs, error } = notice;
  const shown = { id, event_hook: { id: hook }, source, event, at: seconds(at), state, attempts, status };
  const text = JSON.stringify({ ...shown, latency_ms: latencyMs, error });
  return { type: 'delivery', hook, source, event, state, text: () => text };
}

function eventRow({ id, source, event, at, data, hooks }: Extract<Notice, { type: 'event' }>): Row {
  const shown = { id, source, event, at: seconds(at), hooks, size: Buffer.byteLength(data) };
  const fields = data.length > longestData ? null : parseExactFields(data);
  return {
    type: 'event',
    hook: null,
    source,
    event,
    state: null,
    text: (withPayload) => JSON.stringify({ ...shown, data: withPayload ? fields : null }),
  };
}

/** A row of something else, which has no event. */
export function plainRow(
  type: 'received' | 'hooks' | 'replay',
  fields: object,
  hook: string | null = null,
): Row {
  const text = JSON.stringify(fields);
  return { type, hook, source: null, event: null, state: null, text: () => text };
}

/** What a watcher wants to see. */
export interface RowFilter {
  readonly types: ReadonlySet<RowType>;
  readonly hook: string | null;
  readonly source: string | null;
  readonly event: string | null;
  readonly state: string | null;
}

/** Whether a row is wanted. A condition that a kind of row knows nothing of does not count for it. */
export function isWanted(row: Row, { types, hook, source, event, state }: RowFilter): boolean {
  if (!types.has(row.type)) return false;
  const differs = (wanted: string | null, is: string | null): boolean =>
    wanted !== null && is !== null && wanted !== is;
  return !(
    differs(hook, row.hook) ||
    differs(source, row.source) ||
    differs(event, row.event) ||
    differs(state, row.state)
  );
}
