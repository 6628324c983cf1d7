import type { ComponentChildren, JSX } from 'preact';
import type { Delivery } from '../api/types.ts';
import { href } from '../router.ts';
import { latency } from '../text/format.ts';
import { visible } from '../text/visible.ts';
import { StateBadge, Time } from './marks.tsx';
import { Table } from './table.tsx';
import type { Column } from './table.tsx';

interface DeliveryTableProps {
  readonly caption: string;
  readonly rows: readonly Delivery[];
  readonly busy?: boolean;
  /** Columns before these, such as the hook. */
  readonly before?: readonly Column<Delivery>[];
}

export function DeliveryTable({ caption, rows, busy = false, before = [] }: DeliveryTableProps): JSX.Element {
  return (
    <Table
      caption={caption}
      busy={busy}
      rows={rows}
      keyOf={({ id }) => id}
      columns={[
        ...before,
        { name: 'Delivery', heads: true, cell: (row) => <DeliveryName delivery={row} /> },
        { name: 'State', cell: ({ state }) => <StateBadge state={state} /> },
        { name: 'Event of', cell: ({ created_at: at }) => <Time at={at === null ? null : at * 1000} /> },
        { name: 'Attempts', kind: 'number', cell: ({ attempts }) => attempts },
        { name: 'Latency', kind: 'number', cell: ({ latency_ms: ms }) => latency(ms) },
        { name: 'Answer', cell: (row) => <Answer delivery={row} /> },
      ]}
    />
  );
}

const DeliveryName = ({
  delivery: { id, source, event, event_id: eventId },
}: {
  delivery: Delivery;
}): JSX.Element => (
  <>
    <a class="strong" href={href(['deliveries', id])}>
      {visible(source)} <span class="sep">/</span> {visible(event)}
    </a>
    <div class="mono quiet id">{visible(eventId)}</div>
  </>
);

function Answer({
  delivery: { status, error, next_attempt_at: next, state },
}: {
  delivery: Delivery;
}): ComponentChildren {
  return (
    <>
      {status === null ? null : <span class="mono">{status} </span>}
      {error === null ? null : <span class="error-text">{visible(error)}</span>}
      {state === 'waiting' && next !== null ? (
        <div class="small quiet">
          again <Time at={next * 1000} />
        </div>
      ) : null}
      {status === null && error === null ? <span class="quiet">none yet</span> : null}
    </>
  );
}
