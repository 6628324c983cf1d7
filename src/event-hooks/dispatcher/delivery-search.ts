import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DeliveryRecord, DeliverySearch, HookStore } from '../store/types.ts';

/** Deliveries that the first portion looks at, and the bounds of what a later one does. */
const firstPortion = 200;
const largestPortion = 20_000;
/** How long a portion may keep this process from other work, in milliseconds; the next one is as much larger or smaller. */
const portionMs = 10;

export interface FoundDeliveries {
  found: DeliveryRecord[];
  /** How many deliveries were looked at. */
  looked: number;
  /** Where the search goes on; null: everything was looked at. */
  before: string | null;
}

/**
 * Searches portion by portion, so that other work of this process goes on in between.
 * @param limitMs the search stops when a portion ends after this time, in milliseconds
 */
export async function searchDeliveries(
  store: Pick<HookStore, 'search'>,
  query: Omit<DeliverySearch, 'most'>,
  limitMs = 300,
): Promise<FoundDeliveries> {
  const end = performance.now() + limitMs;
  const found: DeliveryRecord[] = [];
  let looked = 0;
  let most = firstPortion;
  let before = query.before ?? null;
  for (;;) {
    const begun = performance.now();
    const size = query.size - found.length;
    const portion = await store.search({ ...query, size, most, ...(before === null ? {} : { before }) });
    found.push(...portion.found);
    looked += portion.looked;
    before = portion.before;
    const now = performance.now();
    if (before === null || now >= end) return { found, looked, before };
    if (found.length >= query.size)
      return { found, looked, before: (await isLeft(store, query.hookId, before)) ? before : null };
    const fits = (most * portionMs) / Math.max(0.1, now - begun);
    most = Math.round(Math.min(largestPortion, most * 8, Math.max(10, fits)));
    await nextTurn();
  }
}

/** Whether anything is left to look at, so that a full page that is the last one does not point to an empty one. */
async function isLeft(
  store: Pick<HookStore, 'search'>,
  hookId: string | null,
  before: string,
): Promise<boolean> {
  const { looked } = await store.search({ hookId, before, size: 1, most: 1 });
  return looked > 0;
}
