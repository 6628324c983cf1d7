import type { ReplayedAnswer } from '../../event-hooks/admin/answers.ts';
import { call, given } from './client.ts';
import type { Delivery, DeliveryPage } from './types.ts';

/** Which deliveries are wanted; an empty text wants all. Times are ISO 8601. */
export interface DeliveryFilter {
  readonly state: string;
  readonly since: string;
  readonly until: string;
  readonly source: string;
  readonly event: string;
  readonly id: string;
  readonly text: string;
}

export const noFilter: DeliveryFilter = {
  state: '',
  since: '',
  until: '',
  source: '',
  event: '',
  id: '',
  text: '',
};

export interface Found {
  readonly rows: readonly Delivery[];
  /** How many deliveries were looked at. */
  readonly looked: number;
  /** Where the next portion begins; null: there is no more. */
  readonly offset: string | null;
  /** Whether the search has paused because it has found a page. */
  readonly searching: boolean;
}

const pageSize = 50;

/**
 * One page of deliveries, newest first. A search that finds few of many is answered in portions: each is told as it
 * comes, until the page is full or everything was looked at.
 * @param hook null: over all hooks
 * @param from what was found before, to go on behind it
 */
export async function findDeliveries(
  hook: string | null,
  filter: DeliveryFilter,
  from: Found | null,
  tell: (found: Found) => void,
  signal: AbortSignal,
): Promise<void> {
  const path =
    hook === null ? '/event-hooks/deliveries' : `/event-hooks/${encodeURIComponent(hook)}/deliveries`;
  const wanted = (from?.rows.length ?? 0) + pageSize;
  let found: Found = from ?? { rows: [], looked: 0, offset: null, searching: true };
  do {
    const size = Math.min(pageSize, wanted - found.rows.length);
    const page: DeliveryPage = await call('GET', path, {
      query: { ...filter, size, offset: found.offset },
      signal,
    });
    const offset = page.next === null && page.complete !== false ? null : (page.offset ?? null);
    const rows = [...found.rows, ...page.data];
    const searching = offset !== null && rows.length < wanted && page.complete === false;
    found = { rows, offset, looked: found.looked + (page.looked ?? page.data.length), searching };
    tell(found);
  } while (found.searching);
}

const pathOf = (id: string): string => `/event-hooks/deliveries/${encodeURIComponent(id)}`;

export const readDelivery = (id: string, signal?: AbortSignal): Promise<Delivery> =>
  call('GET', pathOf(id), given(signal));
export const replayDelivery = (id: string): Promise<ReplayedAnswer> => call('POST', `${pathOf(id)}/replay`);
