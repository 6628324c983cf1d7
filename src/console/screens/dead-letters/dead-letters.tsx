import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { DeliveryFilter } from '../../api/deliveries.ts';
import { listHooks } from '../../api/hooks.ts';
import type { ReplayRequest } from '../../api/replays.ts';
import { useResource } from '../../api/resource.ts';
import { mayWrite } from '../../api/session.ts';
import type { Delivery, Hook } from '../../api/types.ts';
import { target } from '../../model/hook-text.ts';
import { href } from '../../router.ts';
import { Page } from '../../shell/page.tsx';
import { moment } from '../../text/format.ts';
import { visible } from '../../text/visible.ts';
import { DeliveryFilterForm, filterOfPlace } from '../../ui/delivery-filter.tsx';
import { DeliveryTable } from '../../ui/delivery-table.tsx';
import { SearchState } from '../../ui/search-state.tsx';
import type { Column } from '../../ui/table.tsx';
import { useDeliveries } from '../../ui/use-deliveries.ts';
import { Jobs } from './jobs.tsx';
import { ReplayDialog } from './replay-dialog.tsx';

interface Asked {
  readonly request: ReplayRequest;
  readonly what: string;
}

/** What was given up, over all hooks: looked through, and sent again. */
export default function DeadLetters(): JSX.Element {
  const filter: DeliveryFilter = { ...filterOfPlace(), state: 'dead' };
  const search = useDeliveries(null, filter);
  const hooks = useResource('hooks', listHooks);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState<Asked | null>(null);
  const rows = search.found?.rows ?? [];
  const key = JSON.stringify(filter);
  useEffect(() => {
    setChosen(new Set());
  }, [key]);
  const before = [...(mayWrite.value ? [chooser(chosen, setChosen)] : []), hookColumn(hooks.now.value ?? [])];
  return (
    <Page
      title="Dead letters"
      actions={
        mayWrite.value ? (
          <Actions chosen={[...chosen]} filter={filter} rows={rows} onAsk={setAsked} />
        ) : undefined
      }
    >
      <p class="quiet">
        Deliveries that were given up after their last attempt. A replay is one more attempt.
      </p>
      <Jobs />
      <DeliveryFilterForm label="Dead letters" filter={{ ...filter, state: '' }} withSource />
      <div class="card flush">
        {rows.length > 0 ? (
          <DeliveryTable
            caption="Dead letters, newest first"
            rows={rows}
            busy={search.busy}
            before={before}
          />
        ) : null}
        <SearchState search={search} shown={rows.length} />
      </div>
      {asked === null ? null : (
        <ReplayDialog
          {...asked}
          onClose={() => {
            setAsked(null);
            setChosen(new Set());
            search.again();
          }}
        />
      )}
    </Page>
  );
}

interface ActionsProps {
  readonly chosen: readonly string[];
  readonly filter: DeliveryFilter;
  readonly rows: readonly Delivery[];
  readonly onAsk: (asked: Asked) => void;
}

const Actions = ({ chosen, filter, rows, onAsk }: ActionsProps): JSX.Element => (
  <>
    <button
      type="button"
      class="button"
      disabled={chosen.length === 0}
      onClick={() => {
        onAsk({ request: { ids: chosen }, what: 'The dead letters that you have chosen.' });
      }}
    >
      {chosen.length === 0 ? 'Replay chosen' : `Replay ${String(chosen.length)} chosen`}
    </button>
    <button
      type="button"
      class="button main"
      onClick={() => {
        onAsk({ request: requestOf(filter, rows), what: describe(filter) });
      }}
    >
      {isNarrowed(filter) ? 'Replay all that match…' : 'Replay all…'}
    </button>
  </>
);

/** A box per row, and the most that one request may name. */
const mostChosen = 1000;

const chooser = (
  chosen: ReadonlySet<string>,
  setChosen: (chosen: ReadonlySet<string>) => void,
): Column<Delivery> => ({
  name: 'Choose',
  unseen: true,
  kind: 'mark',
  cell: ({ id, event_id: eventId }) => (
    <input
      type="checkbox"
      aria-label={`Choose ${eventId}`}
      checked={chosen.has(id)}
      disabled={!chosen.has(id) && chosen.size >= mostChosen}
      onChange={() => {
        const next = new Set(chosen);
        if (!next.delete(id)) next.add(id);
        setChosen(next);
      }}
    />
  ),
});

const hookColumn = (hooks: readonly Hook[]): Column<Delivery> => ({
  name: 'Hook',
  cell: ({ event_hook: { id } }) => {
    const hook = hooks.find((one) => one.id === id);
    return <a href={href(['hooks', id])}>{hook === undefined ? id : visible(target(hook))}</a>;
  },
});

const isNarrowed = ({ state: _, ...rest }: DeliveryFilter): boolean =>
  Object.values(rest).some((one) => one !== '');

function requestOf(
  { id, since, until, source, event, text }: DeliveryFilter,
  rows: readonly Delivery[],
): ReplayRequest {
  // An id has a row for each hook at most: they are what the reader sees.
  if (id !== '') return { ids: rows.map((row) => row.id) };
  const given = Object.entries({ since, until, source, event, text }).filter(([, value]) => value !== '');
  return { states: ['dead'], ...Object.fromEntries(given) };
}

function describe({ id, since, until, source, event, text }: DeliveryFilter): string {
  const time = (iso: string): string => moment(Date.parse(iso));
  const parts = [
    id === '' ? '' : `with the id ${id}`,
    source === '' ? '' : `of the source ${source}`,
    event === '' ? '' : `of the event ${event}`,
    text === '' ? '' : `with the text “${text}”`,
    since === '' ? '' : `since ${time(since)}`,
    until === '' ? '' : `until ${time(until)}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'All dead letters of all hooks.' : `All dead letters ${parts.join(', ')}.`;
}
