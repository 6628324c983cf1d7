import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { createHook, listSources } from '../../api/hooks.ts';
import { useResource } from '../../api/resource.ts';
import type { Sources } from '../../api/types.ts';
import { newSecret } from '../../model/new-secret.ts';
import { announce } from '../../ui/announce.tsx';
import { Loading } from '../../ui/loading.tsx';
import { ChoiceField } from '../../ui/fields.tsx';
import { Problem, useAction } from '../../ui/use-action.tsx';

interface SendHereProps {
  readonly url: string;
  readonly isFirst: boolean;
  readonly onMade: () => void;
}

/** Makes a signed webhook whose target is this page. */
export function SendHere(props: SendHereProps): JSX.Element {
  const sources = useResource('sources', listSources);
  return (
    <section class="card stack" aria-labelledby="send-here">
      <h2 id="send-here">Make a hook that sends here</h2>
      <Loading from={sources} what="what can be hooked">
        {(all) => <Form {...props} sources={all} />}
      </Loading>
    </section>
  );
}

function Form({ url, sources, isFirst, onMade }: SendHereProps & { sources: Sources }): JSX.Element {
  const names = Object.keys(sources);
  const [source, setSource] = useState(names.find((name) => !builtin.has(name)) ?? names[0] ?? '');
  const [event, setEvent] = useState('');
  const action = useAction();
  const submit = (submitted: Event): void => {
    submitted.preventDefault();
    action.run(async () => {
      await createHook({
        source,
        event: event === '' ? null : event,
        handler: 'webhook',
        config: { url, secret: newSecret() },
      });
      announce('The hook is made. Its first ping arrives here.');
      onMade();
    });
  };
  const events = Object.keys(sources[source] ?? {}).map((name) => [name, name] as const);
  return (
    <form class="filters" onSubmit={submit}>
      <ChoiceField
        name="Source"
        value={source}
        options={names.map((name) => [name, name])}
        onValue={(value) => {
          setSource(value);
          setEvent('');
        }}
      />
      <ChoiceField name="Event" value={event} options={[['', 'every event'], ...events]} onValue={setEvent} />
      <button type="submit" class={`button ${isFirst ? 'main' : ''}`} disabled={action.busy}>
        Send it to this page
      </button>
      <Problem text={action.problem} />
    </form>
  );
}

/** Kong's own sources, which tell only where a Kong is watched; a plugin's source tells at once. */
const builtin = new Set(['crud', 'dao:crud', 'balancer']);
