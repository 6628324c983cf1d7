import type { JSX } from 'preact';
import { listHooks } from '../../api/hooks.ts';
import { useResource } from '../../api/resource.ts';
import { subject } from '../../model/hook-text.ts';
import { place, setQuery } from '../../router.ts';
import { Page } from '../../shell/page.tsx';
import { count, plural } from '../../text/format.ts';
import { SearchField, SelectField } from '../../ui/filter-fields.tsx';
import { LiveSwitch } from '../../ui/live-switch.tsx';
import { LiveTable } from './live-table.tsx';
import { mostRows, useLiveRows } from './use-live-rows.ts';

/** Events and attempts as they happen. */
export default function Live(): JSX.Element {
  const { query } = place.value;
  const wanted = Object.fromEntries(
    ['types', 'source', 'event', 'hook', 'state'].map((name) => [name, query.get(name) ?? '']),
  );
  const { rows, more, live, skipped, gap, pause, goOn } = useLiveRows(wanted);
  return (
    <Page title="Live">
      <Filters wanted={wanted} />
      <div class="row spread">
        <p class="quiet small" role="status">
          {skipped.events + skipped.deliveries === 0
            ? `The latest ${count(mostRows)} rows are kept.`
            : `More than the page can show: ${plural(skipped.events, 'event')} and ${plural(skipped.deliveries, 'attempt')} left out.`}
          {gap === null ? '' : ` Something may be missing: ${gap}`}
        </p>
        <div class="row">
          {more > 0 ? (
            <button type="button" class="button small-button" onClick={goOn}>
              {`${count(more)} more: show`}
            </button>
          ) : null}
          <LiveSwitch
            live={live}
            onSwitch={(on) => {
              if (on) goOn();
              else pause();
            }}
          />
        </div>
      </div>
      <div class="card flush">
        {rows.length === 0 ? (
          <p class="empty quiet">Nothing has happened since you came here.</p>
        ) : (
          <LiveTable rows={rows} />
        )}
      </div>
    </Page>
  );
}

const kinds = [
  ['', 'events and attempts'],
  ['event', 'events'],
  ['delivery', 'attempts'],
] as const;

const states = [
  ['', 'all'],
  ['delivered', 'delivered'],
  ['waiting', 'waiting'],
  ['dead', 'dead'],
] as const;

function Filters({ wanted }: { wanted: Readonly<Record<string, string>> }): JSX.Element {
  const hooks = useResource('hooks', listHooks);
  const set = (name: string) => (value: string) => {
    setQuery({ [name]: value });
  };
  const names = (hooks.now.value ?? []).map(
    (hook) => [hook.id, `${subject(hook)} (${hook.id.slice(0, 8)})`] as const,
  );
  return (
    <div class="filters" role="search" aria-label="Live rows">
      <SelectField name="Show" value={wanted['types'] ?? ''} options={kinds} onValue={set('types')} />
      <SearchField
        name="Source"
        value={wanted['source'] ?? ''}
        hint="the whole name"
        onValue={set('source')}
      />
      <SearchField name="Event" value={wanted['event'] ?? ''} hint="the whole name" onValue={set('event')} />
      <SelectField
        name="Hook"
        value={wanted['hook'] ?? ''}
        options={[['', 'all'], ...names]}
        onValue={set('hook')}
      />
      <SelectField name="State" value={wanted['state'] ?? ''} options={states} onValue={set('state')} />
    </div>
  );
}
