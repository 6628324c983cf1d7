import type { JSX } from 'preact';
import { historyOf, readHistory, readHook } from '../../api/hooks.ts';
import { useResource } from '../../api/resource.ts';
import { mayWrite } from '../../api/session.ts';
import type { History } from '../../api/types.ts';
import { subject } from '../../model/hook-text.ts';
import { go, href } from '../../router.ts';
import { Page } from '../../shell/page.tsx';
import { compact, latency } from '../../text/format.ts';
import { fillHours } from '../../text/hours.ts';
import { visible } from '../../text/visible.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { CountedSince } from '../../ui/counted-since.tsx';
import { HourChart } from '../../ui/hour-chart.tsx';
import { Loading } from '../../ui/loading.tsx';
import { HookActions } from './hook-actions.tsx';
import { HookFacts } from './hook-facts.tsx';
import { HookDeliveries } from './hook-deliveries.tsx';

/** One hook: what it is, how it fares, and its deliveries. */
export default function HookPage({ id }: { id: string }): JSX.Element {
  const hook = useResource(`hook ${id}`, (signal) => readHook(id, signal), { everyMs: 15_000 });
  const history = useResource(`history ${id}`, (signal) => readHistory(24, id, signal), { everyMs: 15_000 });
  const known = hook.now.value;
  return (
    <Page
      title={known === null ? 'Hook' : visible(subject(known))}
      above={
        <p class="small">
          <a href={href(['hooks'])}>All hooks</a>
        </p>
      }
      actions={
        <>
          <CopyButton text={id} what="the hook's id" label="Copy id" />
          {known !== null && mayWrite.value ? (
            <HookActions
              hook={known}
              onChange={hook.reload}
              onDeleted={() => {
                go(['hooks']);
              }}
            />
          ) : null}
        </>
      }
    >
      <div class="columns">
        <section class="card stack" aria-label="Settings">
          <h2>Settings</h2>
          <Loading from={hook} what="the hook">
            {(one) => <HookFacts hook={one} onChange={hook.reload} />}
          </Loading>
        </section>
        <section class="card stack" aria-label="The last 24 hours">
          <h2>The last 24 hours</h2>
          <Loading from={history} what="the last 24 hours">
            {(all) => <Past all={all} id={id} />}
          </Loading>
        </section>
      </div>
      <HookDeliveries id={id} />
    </Page>
  );
}

function Past({ all, id }: { all: History; id: string }): JSX.Element {
  const past = historyOf(all, id);
  if (past === null) return <p class="quiet">Not known: the dispatcher tells nothing of this hook.</p>;
  const number = (value: number | null): string => (value === null ? 'not known' : compact(value));
  const waiting = past.pending === null || past.waiting === null ? null : past.pending + past.waiting;
  return (
    <>
      <dl class="tiles">
        <Tile name="Delivered" value={number(past.delivered)} />
        <Tile name="Failed" value={number(past.failed)} />
        <Tile name="Waiting" value={number(waiting)} />
        <Tile name="Dead" value={number(past.dead)} />
        <Tile name="p50" value={latency(past.p50_ms)} />
        <Tile name="p95" value={latency(past.p95_ms)} />
      </dl>
      {past.reason == null ? null : <p class="quiet small">Not known: {past.reason}</p>}
      <CountedSince history={all} />
      <HourChart hours={fillHours(all, past.hours)} />
    </>
  );
}

const Tile = ({ name, value }: { name: string; value: string }): JSX.Element => (
  <div class="tile">
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);
