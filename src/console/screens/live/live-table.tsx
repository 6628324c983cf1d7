import type { ComponentChildren, JSX } from 'preact';
import type { DeliveryNotice, EventNotice } from '../../api/types.ts';
import { href } from '../../router.ts';
import { bytes, latency, plural, timeOfDay } from '../../text/format.ts';
import { visible } from '../../text/visible.ts';
import { JsonView } from '../../ui/json-view.tsx';
import { StateBadge } from '../../ui/marks.tsx';
import { Table } from '../../ui/table.tsx';

export type LiveRow =
  | { readonly kind: 'event'; readonly row: EventNotice }
  | { readonly kind: 'attempt'; readonly row: DeliveryNotice };

export const LiveTable = ({ rows }: { rows: readonly LiveRow[] }): JSX.Element => (
  <Table
    caption="What happens, the latest first"
    rows={rows}
    keyOf={keyOf}
    columns={[
      { name: 'Time', cell: ({ row }) => <span class="mono">{timeOfDay(row.at * 1000)}</span> },
      { name: 'What', cell: ({ kind }) => (kind === 'event' ? 'event' : 'attempt') },
      { name: 'Of', heads: true, cell: (one) => <Name of={one} /> },
      { name: 'State', cell: (one) => <State of={one} /> },
      {
        name: 'Latency',
        kind: 'number',
        cell: (one) => (one.kind === 'event' ? '–' : latency(one.row.latency_ms)),
      },
      { name: 'Detail', cell: (one) => <Detail of={one} /> },
    ]}
  />
);

const keyOf = ({ kind, row }: LiveRow): string =>
  kind === 'event' ? `e ${row.id}` : `a ${row.id} ${String(row.attempts)} ${String(row.at)}`;

const Name = ({ of: { kind, row } }: { of: LiveRow }): JSX.Element => {
  const text = `${visible(row.source)} / ${visible(row.event)}`;
  return kind === 'event' ? <>{text}</> : <a href={href(['deliveries', row.id])}>{text}</a>;
};

const State = ({ of: { kind, row } }: { of: LiveRow }): JSX.Element =>
  kind === 'event' ? (
    <span class="quiet">{`fires ${plural(row.hooks, 'hook')}`}</span>
  ) : (
    <StateBadge state={row.state} />
  );

function Detail({ of: { kind, row } }: { of: LiveRow }): ComponentChildren {
  if (kind === 'event') {
    if (row.data === null)
      return <span class="quiet">{row.size === undefined ? 'not shown' : bytes(row.size)}</span>;
    return (
      <details class="as-table">
        <summary>Fields</summary>
        <JsonView value={row.data} label="Fields of the event" />
      </details>
    );
  }
  return (
    <>
      {row.status === null ? null : <span class="mono">{row.status} </span>}
      {row.error === null ? null : <span class="error-text">{visible(row.error)}</span>}
    </>
  );
}
