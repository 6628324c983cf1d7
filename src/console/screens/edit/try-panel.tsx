import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { reasonOf } from '../../api/client.ts';
import { renderDraft, testDraft } from '../../api/drafts.ts';
import type { Rendered } from '../../api/drafts.ts';
import type { StoredEvent, TestResult } from '../../api/types.ts';
import type { Draft } from '../../model/draft.ts';
import { moment } from '../../text/format.ts';
import { visible } from '../../text/visible.ts';
import { ChoiceField } from '../../ui/fields.tsx';
import { Outcome } from '../../ui/outcome.tsx';
import { Problem, useAction } from '../../ui/use-action.tsx';

interface TryPanelProps {
  readonly draft: Draft;
  readonly events: readonly StoredEvent[];
  /** Why there are none. */
  readonly reason: string | null;
  /** The draft, if nothing is wrong with it. */
  readonly sound: Draft | null;
}

/** What the hook would send for a real event, and a test before it is saved. */
export function TryPanel({ draft, sound, events, reason }: TryPanelProps): JSX.Element {
  const [chosen, setChosen] = useState('');
  const event = events.find(({ id }) => id === chosen) ?? events[0] ?? null;
  const options = events.map(
    ({ id, event: name, at }) => [id, `${visible(name)}, ${moment(at * 1000)}`] as const,
  );
  return (
    <section class="card stack try" aria-labelledby="try">
      <h2 id="try">Try it</h2>
      {event === null ? (
        <p class="quiet small">
          {`No event to try it on (${reason ?? 'none of this source is stored'}): an empty one is taken.`}
        </p>
      ) : (
        <ChoiceField name="With the event" value={event.id} options={options} onValue={setChosen} />
      )}
      {'url' in draft.config ? <RenderedRequest sound={sound} eventId={event?.id ?? null} /> : null}
      <Test sound={sound} eventId={event?.id ?? null} />
    </section>
  );
}

function RenderedRequest({ sound, eventId }: { sound: Draft | null; eventId: string | null }): JSX.Element {
  const [rendered, setRendered] = useState<Rendered | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (sound === null) return undefined;
    const control = new AbortController();
    renderDraft(sound, eventId, control.signal).then(
      (now) => {
        if (control.signal.aborted) return;
        setRendered(now);
        setProblem(null);
      },
      (error: unknown) => {
        if (control.signal.aborted) return;
        setRendered(null);
        setProblem(reasonOf(error));
      },
    );
    return () => {
      control.abort();
    };
  }, [sound, eventId]);
  return (
    <div class="stack tight">
      <h3>What it would send</h3>
      {rendered === null || sound === null ? (
        <p class="quiet small" role="status">
          {sound === null || problem === null
            ? 'Shown once the form has no error.'
            : `Not yet: ${visible(problem)}`}
        </p>
      ) : (
        <pre class="answer" tabIndex={0} role="region" aria-label="The request that would be sent">
          {textOf(rendered)}
        </pre>
      )}
    </div>
  );
}

function textOf({ request: { method, url, headers, body } }: Rendered): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return visible([`${method} ${url}`, ...lines, '', body ?? ''].join('\n').trimEnd());
}

function Test({ sound, eventId }: { sound: Draft | null; eventId: string | null }): JSX.Element {
  const [result, setResult] = useState<TestResult['result'] | null>(null);
  const action = useAction();
  return (
    <div class="stack tight">
      <div>
        <button
          type="button"
          class="button"
          disabled={action.busy || sound === null}
          aria-describedby="test-help"
          onClick={() => {
            setResult(null);
            action.run(async () => {
              if (sound !== null) setResult((await testDraft(sound, eventId)).result);
            });
          }}
        >
          {action.busy ? 'Sending…' : 'Send a test now'}
        </button>
      </div>
      <p id="test-help" class="quiet small">
        {sound !== null ? 'It is sent once; nothing is saved.' : 'It can be sent once the form has no error.'}
      </p>
      <Problem text={action.problem} />
      {result === null ? null : <Outcome result={result} />}
    </div>
  );
}
