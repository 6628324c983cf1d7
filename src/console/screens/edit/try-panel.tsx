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
  /** Whether the API finds nothing wrong with the draft. */
  readonly valid: boolean;
}

/** What the hook would send for a real event, and a test before it is saved. */
export function TryPanel({ draft, events, reason, valid }: TryPanelProps): JSX.Element {
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
      {'url' in draft.config ? <RenderedRequest draft={draft} eventId={event?.id ?? null} /> : null}
      <Test draft={draft} eventId={event?.id ?? null} valid={valid} />
    </section>
  );
}

function RenderedRequest({ draft, eventId }: { draft: Draft; eventId: string | null }): JSX.Element {
  const [rendered, setRendered] = useState<Rendered | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const control = new AbortController();
    const timer = setTimeout(() => {
      renderDraft(draft, eventId, control.signal).then(
        (now) => {
          setRendered(now);
          setProblem(null);
        },
        (error: unknown) => {
          if (control.signal.aborted) return;
          setRendered(null);
          setProblem(reasonOf(error));
        },
      );
    }, 350);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [draft, eventId]);
  return (
    <div class="stack tight">
      <h3>What it would send</h3>
      {rendered === null ? (
        <p class="quiet small" role="status">
          {problem === null ? 'Nothing yet.' : `Not yet: ${visible(problem)}`}
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

function Test({
  draft,
  eventId,
  valid,
}: {
  draft: Draft;
  eventId: string | null;
  valid: boolean;
}): JSX.Element {
  const [result, setResult] = useState<TestResult['result'] | null>(null);
  const action = useAction();
  return (
    <div class="stack tight">
      <div>
        <button
          type="button"
          class="button"
          disabled={action.busy || !valid}
          aria-describedby="test-help"
          onClick={() => {
            setResult(null);
            action.run(async () => {
              setResult((await testDraft(draft, eventId)).result);
            });
          }}
        >
          {action.busy ? 'Sending…' : 'Send a test now'}
        </button>
      </div>
      <p id="test-help" class="quiet small">
        {valid ? 'It is sent once; nothing is saved.' : 'It can be sent once the form has no error.'}
      </p>
      <Problem text={action.problem} />
      {result === null ? null : <Outcome result={result} />}
    </div>
  );
}
