import { useEffect, useState } from 'preact/hooks';
import { useStream } from '../../api/stream.ts';
import type { DeliveryNotice, EventNotice, SkippedNotice } from '../../api/types.ts';
import { useBatches } from '../../ui/use-batches.ts';
import type { LiveRow } from './live-table.tsx';

/** How many rows are kept: the tab does not grow, however long it is open. */
export const mostRows = 300;

interface Kept {
  readonly rows: readonly LiveRow[];
  /** What came in while the reader paused; the latest of it. */
  readonly held: readonly LiveRow[];
  /** How many came in while the reader paused. */
  readonly more: number;
  /** What the dispatcher left out, because it was too much. */
  readonly skipped: SkippedNotice;
  /** Why something may be missing. */
  readonly gap: string | null;
}

export interface LiveRows extends Omit<Kept, 'held'> {
  readonly live: boolean;
  readonly pause: () => void;
  readonly goOn: () => void;
}

const nothing: Kept = { rows: [], held: [], more: 0, skipped: { events: 0, deliveries: 0 }, gap: null };
const latest = (rows: readonly LiveRow[]): readonly LiveRow[] => rows.slice(0, mostRows);

/** What happens, newest first. @param wanted which of it; '' is all */
export function useLiveRows(wanted: Readonly<Record<string, string>>): LiveRows {
  const [kept, setKept] = useState(nothing);
  const [live, setLive] = useState(true);
  const query = { ...wanted, types: wanted['types'] || 'event,delivery' };
  const key = JSON.stringify(query);
  const take = useBatches<LiveRow>(key, mostRows, (items, dropped) => {
    const newest = items.toReversed();
    setKept((now) =>
      live
        ? { ...now, rows: latest([...newest, ...now.rows]) }
        : { ...now, held: latest([...newest, ...now.held]), more: now.more + items.length + dropped },
    );
  });
  useEffect(() => {
    setKept(nothing);
  }, [key]);
  useStream(query, {
    event: (data) => {
      take({ kind: 'event', row: data as EventNotice });
    },
    delivery: (data) => {
      take({ kind: 'attempt', row: data as DeliveryNotice });
    },
    skipped: (data) => {
      const { events, deliveries } = data as SkippedNotice;
      setKept((now) => ({
        ...now,
        skipped: { events: now.skipped.events + events, deliveries: now.skipped.deliveries + deliveries },
      }));
    },
    gap: (data) => {
      setKept((now) => ({ ...now, gap: (data as { reason: string }).reason }));
    },
  });
  return {
    ...kept,
    live,
    pause: () => {
      setLive(false);
    },
    goOn: () => {
      setLive(true);
      setKept((now) => ({ ...now, rows: latest([...now.held, ...now.rows]), held: [], more: 0 }));
    },
  };
}
