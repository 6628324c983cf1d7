import type { JSX } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { reasonOf } from '../../api/client.ts';
import { matchDraft } from '../../api/drafts.ts';
import type { Matched } from '../../api/drafts.ts';
import { filterOf, operators, rowsOf } from '../../model/filter-rows.ts';
import type { FilterRow } from '../../model/filter-rows.ts';
import { count } from '../../text/format.ts';
import { visible } from '../../text/visible.ts';
import type { Form } from './form.ts';

interface FilterBuilderProps {
  readonly form: Form;
  /** Paths that recent payloads have. */
  readonly paths: readonly string[];
}

/** Conditions on the payload, and how often the hook would have fired with them. */
export function FilterBuilder({ form, paths }: FilterBuilderProps): JSX.Element {
  const [rows, setRows] = useState<readonly FilterRow[]>(() =>
    rowsOf(form.draft['filter'] as Record<string, unknown> | undefined),
  );
  const list = useId();
  const change = (next: readonly FilterRow[]): void => {
    setRows(next);
    form.set('filter', filterOf(next));
  };
  const problem = form.problem('filter');
  return (
    <section class="card stack" aria-labelledby="filter">
      <h2 id="filter">Filter</h2>
      <p class="quiet small">
        {rows.length === 0
          ? 'Without a condition, every event fires the hook.'
          : 'The hook fires where all conditions hold.'}
      </p>
      <datalist id={list}>
        {paths.map((path) => (
          <option key={path} value={path} />
        ))}
      </datalist>
      {rows.map((row, index) => (
        <Condition
          key={index}
          row={row}
          number={index + 1}
          list={list}
          onRow={(next) => {
            change(
              next === null
                ? rows.filter((_, at) => at !== index)
                : rows.map((one, at) => (at === index ? next : one)),
            );
          }}
        />
      ))}
      <div>
        <button
          type="button"
          class="button small-button"
          onClick={() => {
            change([...rows, { path: '', operator: 'eq', value: '' }]);
          }}
        >
          Add a condition
        </button>
      </div>
      {problem === null ? null : <p class="problem">{problem}</p>}
      <WouldHaveFired form={form} />
    </section>
  );
}

interface ConditionProps {
  readonly row: FilterRow;
  readonly number: number;
  readonly list: string;
  readonly onRow: (row: FilterRow | null) => void;
}

function Condition({ row, number, list, onRow }: ConditionProps): JSX.Element {
  const named = (part: string): string => `Condition ${String(number)}, ${part}`;
  return (
    <div class="condition">
      <input
        type="text"
        list={list}
        placeholder="entity.username"
        aria-label={named('path')}
        spellcheck={false}
        value={row.path}
        onInput={({ currentTarget }) => {
          onRow({ ...row, path: currentTarget.value });
        }}
      />
      <select
        aria-label={named('comparison')}
        value={row.operator}
        onChange={({ currentTarget }) => {
          onRow({ ...row, operator: currentTarget.value });
        }}
      >
        {operators.map(([operator, words]) => (
          <option key={operator} value={operator}>
            {words}
          </option>
        ))}
      </select>
      <input
        type="text"
        placeholder={row.operator === 'exists' ? 'true or false' : 'value'}
        aria-label={named('value')}
        spellcheck={false}
        value={row.value}
        onInput={({ currentTarget }) => {
          onRow({ ...row, value: currentTarget.value });
        }}
      />
      <button
        type="button"
        class="button"
        onClick={() => {
          onRow(null);
        }}
      >
        Remove<span class="unseen">{` condition ${String(number)}`}</span>
      </button>
    </div>
  );
}

function WouldHaveFired({ form: { draft } }: { form: Form }): JSX.Element | null {
  const [matched, setMatched] = useState<Matched | { readonly unknown: string } | null>(null);
  const { source, event, filter } = draft;
  const key = JSON.stringify([source, event, filter]);
  useEffect(() => {
    if (source === '') return undefined;
    const control = new AbortController();
    const timer = setTimeout(() => {
      matchDraft({ source, event, ...(filter === undefined ? {} : { filter }) }, control.signal).then(
        setMatched,
        (error: unknown) => {
          if (!control.signal.aborted) setMatched({ unknown: reasonOf(error) });
        },
      );
    }, 350);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [key]);
  if (source === '' || matched === null) return null;
  return (
    <p class="fired" role="status">
      {'unknown' in matched ? (
        `Not known how often it would have fired: ${matched.unknown}.`
      ) : matched.events === 0 ? (
        `Not known how often it would have fired: ${visible(matched.reason ?? 'no such event is stored')}.`
      ) : (
        <>
          It would have fired for <strong>{count(matched.fired)}</strong> of the last {count(matched.events)}{' '}
          events.
        </>
      )}
    </p>
  );
}
