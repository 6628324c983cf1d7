import type { JSX } from 'preact';
import { noFilter } from '../api/deliveries.ts';
import type { DeliveryFilter } from '../api/deliveries.ts';
import { seesPayloads } from '../api/session.ts';
import { place, setQuery } from '../router.ts';
import { MomentField, SearchField, SelectField } from './filter-fields.tsx';

/** The filter as the address holds it, so that a link leads to what its sender has seen. */
export function filterOfPlace(): DeliveryFilter {
  const { query } = place.value;
  const of = (name: keyof DeliveryFilter): string => query.get(name) ?? '';
  const [state, since, until] = [of('state'), of('since'), of('until')];
  return { state, since, until, source: of('source'), event: of('event'), id: of('id'), text: of('text') };
}

const states = [
  ['', 'all'],
  ['delivered', 'delivered'],
  ['waiting', 'waiting'],
  ['pending', 'pending'],
  ['dead', 'dead'],
] as const;

interface FilterFormProps {
  readonly label: string;
  readonly filter: DeliveryFilter;
  /** Whether these fields are asked for. */
  readonly withState?: boolean;
  readonly withSource?: boolean;
}

export function DeliveryFilterForm({
  label,
  filter,
  withState = false,
  withSource = false,
}: FilterFormProps): JSX.Element {
  const set = (name: keyof DeliveryFilter) => (value: string) => {
    setQuery({ [name]: value });
  };
  const isFiltered = Object.values(filter).some((value) => value !== '');
  return (
    <form
      class="filters"
      role="search"
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      {withState ? (
        <SelectField name="State" value={filter.state} options={states} onValue={set('state')} />
      ) : null}
      {withSource ? <SearchField name="Source" value={filter.source} onValue={set('source')} /> : null}
      <SearchField name="Event" value={filter.event} onValue={set('event')} />
      <SearchField name="Id" value={filter.id} hint="webhook-id or event id" onValue={set('id')} />
      {seesPayloads.value ? (
        <SearchField name="Text" value={filter.text} hint="in payload, error, answer" onValue={set('text')} />
      ) : null}
      <MomentField name="From" value={filter.since} onValue={set('since')} />
      <MomentField name="To" value={filter.until} onValue={set('until')} />
      {isFiltered ? (
        <button
          type="button"
          class="button"
          onClick={() => {
            setQuery({ ...noFilter });
          }}
        >
          Clear
        </button>
      ) : null}
    </form>
  );
}
