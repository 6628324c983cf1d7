import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { DeliveryFilter } from '../../api/deliveries.ts';
import { useStream } from '../../api/stream.ts';
import type { Delivery, DeliveryNotice } from '../../api/types.ts';
import { mergeRows } from '../../model/live-rows.ts';
import { count, plural } from '../../text/format.ts';
import { DeliveryFilterForm, filterOfPlace } from '../../ui/delivery-filter.tsx';
import { DeliveryTable } from '../../ui/delivery-table.tsx';
import { LiveSwitch } from '../../ui/live-switch.tsx';
import { SearchState } from '../../ui/search-state.tsx';
import { useBatches } from '../../ui/use-batches.ts';
import { useDeliveries } from '../../ui/use-deliveries.ts';

/** A hook's deliveries: searched, and live where nothing is searched for that only the store can answer. */
export function HookDeliveries({ id }: { id: string }): JSX.Element {
  const filter = filterOfPlace();
  const search = useDeliveries(id, filter);
  const [live, setLive] = useState(true);
  const follows = isStreamable(filter);
  const { notices, waiting, forget } = useNotices(id, filter, live && follows);
  const show = (): void => {
    forget();
    search.again();
  };
  const rows: readonly Delivery[] = mergeRows(search.found?.rows ?? [], notices);
  return (
    <section class="stack" aria-labelledby="deliveries">
      <div class="row spread">
        <h2 id="deliveries">Deliveries</h2>
        <div class="row">
          {waiting > 0 ? (
            <button type="button" class="button small-button" onClick={show}>
              {plural(waiting, 'more attempt')}: show
            </button>
          ) : null}
          <LiveSwitch
            live={live && follows}
            why={follows ? null : 'A search is not live: what comes in is counted.'}
            onSwitch={(on) => {
              setLive(on);
              if (on) show();
            }}
          />
        </div>
      </div>
      <DeliveryFilterForm label="Deliveries" filter={filter} withState />
      <div class="card flush">
        {rows.length > 0 ? (
          <DeliveryTable
            caption={`Deliveries of this hook, ${count(rows.length)} shown`}
            rows={rows}
            busy={search.busy}
          />
        ) : null}
        <SearchState search={search} shown={rows.length} />
      </div>
    </section>
  );
}

interface Notices {
  readonly notices: readonly DeliveryNotice[];
  /** How many came in that are not shown. */
  readonly waiting: number;
  readonly forget: () => void;
}

/** Attempts that came in since the filter was chosen. What came in under another one is none of this one's. */
function useNotices(id: string, filter: DeliveryFilter, shows: boolean): Notices {
  const [notices, setNotices] = useState<readonly DeliveryNotice[]>([]);
  const [waiting, setWaiting] = useState(0);
  const key = JSON.stringify([id, filter]);
  const take = useBatches<DeliveryNotice>(key, 500, (items, dropped) => {
    if (shows) setNotices((now) => [...now, ...items].slice(-500));
    else setWaiting((now) => now + items.length + dropped);
  });
  const forget = (): void => {
    setNotices([]);
    setWaiting(0);
  };
  useEffect(forget, [key]);
  useStream(streamQuery(id, filter), {
    delivery: (data) => {
      take(data as DeliveryNotice);
    },
  });
  return { notices, waiting, forget };
}

/** What the stream cannot judge, the store has to be asked for. */
const isStreamable = ({ since, until, id, text }: DeliveryFilter): boolean =>
  `${since}${until}${id}${text}` === '';

const streamQuery = (hook: string, { state, event }: DeliveryFilter): Record<string, string> => ({
  types: 'delivery',
  hook,
  ...(state === '' ? {} : { state }),
  ...(event === '' ? {} : { event }),
});
