import { searchDeliveries } from '../../dispatcher/delivery-search.ts';
import type { Dispatcher } from '../../dispatcher/dispatcher.ts';
import { parseDeliveryId } from '../../handlers/types.ts';
import type { DeliveryRecord, DeliverySearch } from '../../store/types.ts';

export const replayableStates = ['delivered', 'dead', 'waiting'] as const;
export type ReplayableState = (typeof replayableStates)[number];

/** Which deliveries are to be made again. */
export interface ReplaySelection {
  /** null: of all hooks; then dead ones only. */
  readonly hookId: string | null;
  readonly states: readonly ReplayableState[];
  readonly conditions: Pick<DeliverySearch, 'since' | 'until' | 'source' | 'event' | 'text'>;
  /** These deliveries only, by their ids. */
  readonly ids: readonly string[] | null;
}

/** The numbers of the chosen events, by hook. */
export type Chosen = ReadonlyMap<string, readonly number[]>;

/** More deliveries are not chosen at a time: each takes memory until it is made due. */
export const mostChosen = 1_000_000;
/** How many a search asks for at a time. */
const atOnce = 1000;
/** How long it may take for them, in milliseconds. */
const limitMs = 200;

/**
 * Looks for the deliveries of a selection.
 * @param progress told how many were found, and how many were looked at
 * @param goesOn asked between portions; false ends the search with what there is
 * @throws Error when there are too many
 */
export async function choose(
  { store }: Pick<Dispatcher, 'store'>,
  selection: ReplaySelection,
  progress: (found: number, looked: number) => void,
  goesOn: () => boolean,
): Promise<Chosen> {
  const chosen = new Map<string, number[]>();
  let found = 0;
  const take = ({ hookId, seq }: Pick<DeliveryRecord, 'hookId' | 'seq'>): void => {
    const seqs = chosen.get(hookId);
    if (seqs === undefined) chosen.set(hookId, [seq]);
    else seqs.push(seq);
    found += 1;
    if (found > mostChosen)
      throw new Error(`more than ${String(mostChosen)} deliveries: choose a shorter time or one hook`);
  };
  if (selection.ids !== null) {
    for (const id of selection.ids) {
      const parts = parseDeliveryId(id);
      const record = parts === null ? null : await store.delivery(parts.hookId, parts.eventId);
      if (record !== null) take(record);
    }
    progress(found, selection.ids.length);
    return sorted(chosen);
  }
  let looked = 0;
  for (const state of selection.states) {
    let before: string | null = null;
    do {
      const portion = await searchDeliveries(
        store,
        {
          ...selection.conditions,
          hookId: selection.hookId,
          state,
          size: atOnce,
          ...(before === null ? {} : { before }),
        },
        limitMs,
      );
      for (const record of portion.found) take(record);
      looked += portion.looked;
      before = portion.before;
      progress(found, looked);
    } while (before !== null && goesOn());
  }
  return sorted(chosen);
}

/** In the order of their events, which receivers expect. */
function sorted(chosen: Map<string, number[]>): Chosen {
  for (const seqs of chosen.values()) seqs.sort((a, b) => a - b);
  return chosen;
}
