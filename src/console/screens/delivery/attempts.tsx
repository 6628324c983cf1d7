import type { JSX } from 'preact';
import type { Attempt, Delivery } from '../../api/types.ts';
import { count, latency } from '../../text/format.ts';
import { visible } from '../../text/visible.ts';
import { Breaks } from '../../ui/breaks.tsx';
import { Badge, Time } from '../../ui/marks.tsx';
import { Table } from '../../ui/table.tsx';

/** Every attempt that is remembered, with the address that it went to. */
export function Attempts({ delivery: { history = [], attempts } }: { delivery: Delivery }): JSX.Element {
  return (
    <section class="stack" aria-label="Attempts">
      <h2>Attempts</h2>
      {history.length < attempts ? (
        <p class="quiet small">{`The last ${count(history.length)} of ${count(attempts)} are remembered.`}</p>
      ) : null}
      <div class="card flush">
        {history.length === 0 ? (
          <p class="empty">None has ended yet.</p>
        ) : (
          <Table
            caption="Attempts, the last one first"
            rows={[...history].reverse()}
            keyOf={({ attempt, at }) => `${String(attempt)} ${String(at)}`}
            columns={[
              { name: 'Attempt', heads: true, cell: ({ attempt }) => attempt },
              { name: 'Time', cell: ({ at }) => <Time at={at * 1000} absolute /> },
              { name: 'Answer', cell: (one) => <AttemptBadge attempt={one} /> },
              { name: 'Latency', kind: 'number', cell: ({ latency_ms: ms }) => latency(ms) },
              { name: 'Address', cell: (one) => <Address attempt={one} /> },
              { name: 'What was sent and answered', cell: (one) => <Exchange attempt={one} /> },
            ]}
          />
        )}
      </div>
    </section>
  );
}

function AttemptBadge({ attempt: { status, error } }: { attempt: Attempt }): JSX.Element {
  return (
    <>
      <Badge tone={error === null ? 'good' : 'bad'}>
        {status === null ? (error === null ? 'done' : 'no answer') : String(status)}
      </Badge>
      {error === null ? null : <div class="error-text small">{visible(error)}</div>}
    </>
  );
}

const Address = ({ attempt: { request } }: { attempt: Attempt }): JSX.Element =>
  request == null ? (
    <span class="quiet">not recorded</span>
  ) : (
    <>
      <div>
        {request.method} <Breaks text={request.url} />
      </div>
      <div class="quiet small mono">{request.address ?? 'no connection'}</div>
    </>
  );

function Exchange({ attempt: { request, response } }: { attempt: Attempt }): JSX.Element {
  if (request == null && (response == null || response === ''))
    return <span class="quiet">nothing recorded</span>;
  return (
    <details class="as-table">
      <summary>Headers and answer</summary>
      <div class="stack tight">
        {request == null ? null : (
          <>
            <h3>Headers as sent</h3>
            <pre class="answer">
              {Object.entries(request.headers)
                .map(([name, value]) => `${visible(name)}: ${visible(value)}`)
                .join('\n')}
            </pre>
          </>
        )}
        <h3>Answer</h3>
        {response == null || response === '' ? (
          <p class="quiet">empty</p>
        ) : (
          <pre class="answer">{visible(response)}</pre>
        )}
      </div>
    </details>
  );
}
