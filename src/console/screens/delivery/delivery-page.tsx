import type { ComponentChildren, JSX } from 'preact';
import { reasonOf } from '../../api/client.ts';
import { readDelivery, replayDelivery } from '../../api/deliveries.ts';
import { readHook } from '../../api/hooks.ts';
import { useResource } from '../../api/resource.ts';
import { mayWrite, seesPayloads } from '../../api/session.ts';
import { useStream } from '../../api/stream.ts';
import type { Delivery, DeliveryNotice, Hook } from '../../api/types.ts';
import { target } from '../../model/hook-text.ts';
import { href } from '../../router.ts';
import { Page } from '../../shell/page.tsx';
import { latency } from '../../text/format.ts';
import { snippets } from '../../text/snippets.ts';
import { visible } from '../../text/visible.ts';
import { announce } from '../../ui/announce.tsx';
import { CodeChoice } from '../../ui/code-choice.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { JsonView } from '../../ui/json-view.tsx';
import { Loading } from '../../ui/loading.tsx';
import { StateBadge, Time } from '../../ui/marks.tsx';
import { Attempts } from './attempts.tsx';
import { CurlButton } from './curl-button.tsx';

/** One delivery: what was sent, every attempt, and what can be done about it. */
export default function DeliveryPage({ id }: { id: string }): JSX.Element {
  const delivery = useResource(`delivery ${id}`, (signal) => readDelivery(id, signal));
  const known = delivery.now.value;
  const hookId = known?.event_hook.id ?? null;
  const hook = useResource(`hook ${hookId ?? ''}`, async (signal) =>
    hookId === null ? null : await readHook(hookId, signal),
  );
  useStream(hookId === null ? null : { types: 'delivery', hook: hookId }, {
    delivery: (data) => {
      if ((data as DeliveryNotice).id === id) delivery.reload();
    },
  });
  return (
    <Page
      title={known === null ? 'Delivery' : `${visible(known.source)} / ${visible(known.event)}`}
      above={
        <p class="small">
          <a href={hookId === null ? href(['hooks']) : href(['hooks', hookId])}>The hook's deliveries</a>
        </p>
      }
      actions={
        <>
          <CopyButton text={id} what="the delivery's id" label="Copy id" />
          {known === null ? null : <CurlButton delivery={known} hook={hook.now.value} />}
          {known !== null && mayWrite.value ? (
            <ReplayButton delivery={known} onReplayed={delivery.reload} />
          ) : null}
        </>
      }
    >
      <Loading from={delivery} what="the delivery">
        {(one) => <Inside delivery={one} hook={hook.now.value} />}
      </Loading>
    </Page>
  );
}

function Inside({ delivery, hook }: { delivery: Delivery; hook: Hook | null }): JSX.Element {
  return (
    <>
      <div class="columns">
        <section class="card stack" aria-label="Summary">
          <h2>Summary</h2>
          <Summary delivery={delivery} hook={hook} />
        </section>
        <section class="card stack" aria-label="Payload">
          <h2>Payload</h2>
          {delivery.payload === null || !seesPayloads.value ? (
            <p class="quiet">Payloads are not shown to you: the dispatcher was started so.</p>
          ) : (
            <JsonView value={delivery.payload} label="Payload" copy />
          )}
        </section>
      </div>
      <Attempts delivery={delivery} />
      <section class="card stack" aria-label="Checking the signature">
        <h2>Check the signature at the receiver</h2>
        <CodeChoice label="Program in" snippets={snippets} />
      </section>
    </>
  );
}

function Summary({ delivery, hook }: { delivery: Delivery; hook: Hook | null }): JSX.Element {
  const { created_at: created, finished_at: finished, next_attempt_at: next } = delivery;
  const facts: [name: string, value: ComponentChildren][] = [
    ['State', <StateBadge state={delivery.state} />],
    ['webhook-id', <span class="mono">{visible(delivery.id)}</span>],
    ['Event id', <span class="mono">{visible(delivery.event_id)}</span>],
    ['Event of', <Time at={created === null ? null : created * 1000} absolute />],
    ['Attempts', delivery.attempts],
    ['Last attempt', <Time at={finished === null ? null : finished * 1000} absolute />],
    ['Latency', latency(delivery.latency_ms)],
    [
      'Error',
      delivery.error === null ? (
        <span class="quiet">none</span>
      ) : (
        <span class="error-text">{visible(delivery.error)}</span>
      ),
    ],
  ];
  if (next !== null) facts.push(['Tried again', <Time at={next * 1000} />]);
  // The attempts say where each of them went; this is where the next one would go.
  if (hook !== null) facts.push(["The hook's target now", visible(target(hook))]);
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </>
      ))}
    </dl>
  );
}

function ReplayButton({ delivery, onReplayed }: { delivery: Delivery; onReplayed: () => void }): JSX.Element {
  const replay = async (): Promise<void> => {
    try {
      const { replayed } = await replayDelivery(delivery.id);
      announce(replayed === 0 ? 'It is on its way already.' : 'The delivery is made again.');
      onReplayed();
    } catch (error) {
      announce(`It could not be replayed: ${reasonOf(error)}.`, { bad: true });
    }
  };
  return (
    <button type="button" class="button main" onClick={() => void replay()}>
      Replay
    </button>
  );
}
