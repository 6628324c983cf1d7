import type { JSX } from 'preact';
import type { History } from '../api/types.ts';
import { moment } from '../text/format.ts';

/** What happened before the counting began is not known, and no zero. */
export function CountedSince({
  history: { from, counted_since: since },
}: {
  history: History;
}): JSX.Element | null {
  if (since === null || since <= from) return null;
  return <p class="quiet small">{`Counted since ${moment(since * 1000)}; what was before is not known.`}</p>;
}
