import type { JSX } from 'preact';
import { historyOf, listHooks, readHistory } from '../../api/hooks.ts';
import { useResource } from '../../api/resource.ts';
import { mayWrite } from '../../api/session.ts';
import type { History, Hook } from '../../api/types.ts';
import { isOn, subject, target } from '../../model/hook-text.ts';
import { href, place, setQuery } from '../../router.ts';
import { Page } from '../../shell/page.tsx';
import { plural } from '../../text/format.ts';
import { CountedSince } from '../../ui/counted-since.tsx';
import { SearchField, SelectField } from '../../ui/filter-fields.tsx';
import { Loading } from '../../ui/loading.tsx';
import { FirstHook } from './first-hook.tsx';
import { HookTable } from './hook-table.tsx';

/** Every hook and how it fares. */
export function Hooks(): JSX.Element {
  const hooks = useResource('hooks', listHooks, { everyMs: 10_000 });
  return (
    <Page
      title="Hooks"
      actions={
        mayWrite.value ? (
          <a class="button main" href={href(['new'])}>
            New hook
          </a>
        ) : undefined
      }
    >
      <Loading from={hooks} what="the hooks">
        {(all) => (all.length === 0 ? <FirstHook /> : <List hooks={all} onChange={hooks.reload} />)}
      </Loading>
    </Page>
  );
}

interface ListProps {
  readonly hooks: readonly Hook[];
  readonly onChange: () => void;
}

function List({ hooks, onChange }: ListProps): JSX.Element {
  // Asked for once the hooks stand there: they do not wait for it.
  const history = useResource('history', (signal) => readHistory(24, null, signal), { everyMs: 10_000 });
  const { query } = place.value;
  const words = query.get('search') ?? '';
  const only = query.get('only') ?? '';
  const known = history.now.value;
  const shown = hooks.filter((hook) => matches(hook, words) && isWanted(hook, only, known));
  return (
    <>
      <div class="filters narrow-filters" role="search" aria-label="Hooks">
        <SearchField
          name="Search"
          value={words}
          hint="source, event, target or id"
          onValue={(search) => setQuery({ search })}
        />
        <SelectField
          name="Show"
          value={only}
          options={[
            ['', 'all'],
            ['on', 'switched on'],
            ['off', 'switched off'],
            ['failing', 'failed in 24 h'],
            ['dead', 'with dead letters'],
          ]}
          onValue={(value) => {
            setQuery({ only: value });
          }}
        />
        <p class="quiet small filter-count" role="status">
          {shown.length === hooks.length
            ? plural(hooks.length, 'hook')
            : `${String(shown.length)} of ${plural(hooks.length, 'hook')}`}
        </p>
      </div>
      {history.now.state === 'failed' ? (
        <Loading from={history} what="what the hooks did in the last 24 hours">
          {() => null}
        </Loading>
      ) : null}
      {known === null ? null : <CountedSince history={known} />}
      <div class="card flush">
        {shown.length === 0 ? (
          <p class="empty">No hook matches.</p>
        ) : (
          <HookTable hooks={shown} history={history.now} onChange={onChange} />
        )}
      </div>
    </>
  );
}

function matches(hook: Hook, words: string): boolean {
  const text = `${subject(hook)} ${hook.handler} ${target(hook)} ${hook.id}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function isWanted(hook: Hook, only: string, history: History | null): boolean {
  if (only === 'on') return isOn(hook);
  if (only === 'off') return !isOn(hook);
  // What is not known excludes nothing.
  if (history === null) return true;
  const past = historyOf(history, hook.id);
  if (only === 'failing') return (past?.failed ?? 0) > 0;
  if (only === 'dead') return (past?.dead ?? 0) > 0;
  return true;
}
