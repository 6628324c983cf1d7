import type { JSX } from 'preact';
import { count, plural } from '../text/format.ts';
import type { DeliverySearch } from './use-deliveries.ts';

/** How far a search is, and what can be done about it. */
export function SearchState({ search, shown }: { search: DeliverySearch; shown: number }): JSX.Element {
  const { found, problem, busy, more, stop, again } = search;
  if (problem !== null) {
    return (
      <div class="notice bad inset" role="alert">
        <p>
          <strong>Not known:</strong> the deliveries could not be read ({problem}).
        </p>
        <button type="button" class="button" onClick={again}>
          Try again
        </button>
      </div>
    );
  }
  if (busy) {
    return (
      <div class="table-foot row spread">
        <p class="quiet" role="status">
          {found === null
            ? 'Searching…'
            : `Searching: ${count(found.looked)} looked at, ${count(found.rows.length)} found…`}
        </p>
        <button type="button" class="button small-button" onClick={stop}>
          Stop
        </button>
      </div>
    );
  }
  const end = found?.offset === null || found === null;
  return (
    <div class="table-foot row spread">
      <p class="quiet" role="status">
        {shown === 0 && end
          ? 'No delivery matches.'
          : `${plural(shown, 'delivery', 'deliveries')} shown${end ? ', no more' : ''}.`}
      </p>
      {end ? null : (
        <button type="button" class="button small-button" onClick={more}>
          Show more
        </button>
      )}
    </div>
  );
}
