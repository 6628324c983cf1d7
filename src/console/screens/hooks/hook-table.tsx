import type { JSX } from 'preact';
import type { Loaded } from '../../api/resource.ts';
import { mayWrite } from '../../api/session.ts';
import type { History, Hook, HookHistory } from '../../api/types.ts';
import { isOn, target } from '../../model/hook-text.ts';
import { href } from '../../router.ts';
import { count, latency } from '../../text/format.ts';
import { fillHours } from '../../text/hours.ts';
import { visible } from '../../text/visible.ts';
import { Breaks } from '../../ui/breaks.tsx';
import { Badge, Time } from '../../ui/marks.tsx';
import { Sparkline } from '../../ui/sparkline.tsx';
import { Table } from '../../ui/table.tsx';
import type { Column } from '../../ui/table.tsx';
import { HookActions } from '../hook/hook-actions.tsx';

interface HookTableProps {
  readonly hooks: readonly Hook[];
  readonly history: Loaded<History>;
  readonly onChange: () => void;
}

interface Row {
  readonly hook: Hook;
  readonly past: HookHistory | null;
  readonly frame: History | null;
}

export function HookTable({ hooks, history, onChange }: HookTableProps): JSX.Element {
  const frame = history.value;
  const byId = new Map(frame?.data.map((one) => [one.event_hook.id, one]));
  const rows = hooks.map((hook): Row => ({ hook, past: byId.get(hook.id) ?? null, frame }));
  const reason = history.state === 'failed' ? history.reason : 'not read yet';
  const number = (name: string, of: (past: HookHistory) => number | null): Column<Row> => ({
    name,
    kind: 'number',
    cell: ({ past }) => <Count value={past === null ? null : of(past)} reason={past?.reason ?? reason} />,
  });
  const columns: Column<Row>[] = [
    { name: 'Hook', heads: true, cell: ({ hook }) => <Name hook={hook} /> },
    { name: 'Target', cell: ({ hook }) => <Target hook={hook} /> },
    { name: 'State', cell: ({ hook }) => <OnOff hook={hook} /> },
    { name: 'Last 24 h', kind: 'chart', cell: (row) => <Past {...row} /> },
    number('Delivered', ({ delivered }) => delivered),
    number('Failed', ({ failed }) => failed),
    number('Waiting', ({ pending, waiting }) =>
      pending === null || waiting === null ? null : pending + waiting,
    ),
    number('Dead', ({ dead }) => dead),
    { name: 'p50', kind: 'number', cell: ({ past }) => latency(past?.p50_ms ?? null) },
    { name: 'p95', kind: 'number', cell: ({ past }) => latency(past?.p95_ms ?? null) },
  ];
  if (mayWrite.value) {
    const cell = ({ hook }: Row): JSX.Element => <HookActions hook={hook} onChange={onChange} />;
    columns.push({ name: 'Actions', unseen: true, kind: 'actions', cell });
  }
  return (
    <Table
      caption="Hooks and their last 24 hours"
      columns={columns}
      rows={rows}
      keyOf={({ hook }) => hook.id}
    />
  );
}

const Name = ({ hook }: { hook: Hook }): JSX.Element => (
  <a class="strong" href={href(['hooks', hook.id])}>
    {visible(hook.source)} <span class="sep">/</span>{' '}
    {hook.event === null ? 'every event' : visible(hook.event)}
  </a>
);

const Target = ({ hook }: { hook: Hook }): JSX.Element => (
  <>
    <div class="target">
      <Breaks text={target(hook)} />
    </div>
    <div class="quiet small">{hook.handler}</div>
  </>
);

export function OnOff({ hook }: { hook: Hook }): JSX.Element {
  if (isOn(hook)) return <Badge tone="good">on</Badge>;
  return (
    <>
      <Badge tone={hook.disabled_reason === undefined ? 'plain' : 'bad'}>off</Badge>
      <div class="small quiet off-reason">
        {hook.disabled_reason === undefined ? 'switched off by hand' : visible(hook.disabled_reason)},{' '}
        <Time at={hook.updated_at * 1000} />
      </div>
    </>
  );
}

function Past({ past, frame }: Row): JSX.Element {
  if (past === null || frame === null || past.delivered === null) return <span class="quiet">not known</span>;
  return <Sparkline hours={fillHours(frame, past.hours)} />;
}

const Count = ({ value, reason }: { value: number | null; reason: string }): JSX.Element =>
  value === null ? (
    <span class="quiet" title={reason}>
      not known
    </span>
  ) : (
    <span class={value === 0 ? 'quiet' : ''}>{count(value)}</span>
  );
