import type { JSX } from 'preact';
import type { Sources } from '../../api/types.ts';
import { textOf } from '../../model/draft.ts';
import { own } from '../../model/own.ts';
import { visible } from '../../text/visible.ts';
import { CheckField } from '../../ui/check-field.tsx';
import { TextField } from '../../ui/fields.tsx';
import { NumberField } from './config-field.tsx';
import type { Form } from './form.ts';
import { help } from './help.ts';

/** What makes the hook fire: a source and an event that is published, or one that will be. */
export function Trigger({ form, sources }: { form: Form; sources: Sources }): JSX.Element {
  const { draft, set, problem } = form;
  const source = textOf(draft, 'source');
  const event = textOf(draft, 'event');
  return (
    <section class="card stack" aria-labelledby="trigger">
      <h2 id="trigger">When it fires</h2>
      <div class="two">
        <TextField
          name="Source"
          value={source}
          required
          help={help['source']}
          problem={problem('source')}
          offers={Object.keys(sources)}
          onValue={(value) => {
            set('source', value);
          }}
        />
        <TextField
          name="Event"
          value={event}
          help={help['event']}
          problem={problem('event')}
          offers={Object.keys(own(sources, source) ?? {})}
          onValue={(value) => {
            set('event', value === '' ? null : value);
          }}
        />
      </div>
      <Published source={source} event={event} sources={sources} />
      <div class="two">
        <CheckField
          name="Only on change"
          checked={draft['on_change'] === true}
          help={help['on_change']}
          onChecked={(checked) => {
            set('on_change', checked ? true : null);
          }}
        />
        <NumberField
          name="Snooze"
          value={draft['snooze']}
          help={help['snooze']}
          problem={problem('snooze')}
          onNumber={(value) => {
            set('snooze', value ?? null);
          }}
        />
      </div>
    </section>
  );
}

interface PublishedProps {
  readonly source: string;
  readonly event: string;
  readonly sources: Sources;
}

/** What its source says of an event. */
function Published({ source, event, sources }: PublishedProps): JSX.Element | null {
  if (source === '') return null;
  const events = own(sources, source);
  if (events === undefined) {
    return (
      <p class="quiet small">
        Nobody has published this source yet: the hook starts to fire when somebody does.
      </p>
    );
  }
  const info = own(events, event);
  if (event === '')
    return <p class="quiet small">{`Published: ${Object.keys(events).map(visible).join(', ')}.`}</p>;
  if (info === undefined) {
    return (
      <p class="quiet small">
        Nobody has published this event yet: the hook starts to fire when somebody does.
      </p>
    );
  }
  return (
    <dl class="facts small">
      {info.description === undefined ? null : (
        <>
          <dt>What it is</dt>
          <dd>{visible(info.description)}</dd>
        </>
      )}
      <dt>Fields</dt>
      <dd class="mono">{info.fields.map(visible).join(', ')}</dd>
      <dt>Identity</dt>
      <dd class={info.unique === undefined ? '' : 'mono'}>
        {info.unique?.map(visible).join(', ') ?? 'all events have the same'}
      </dd>
    </dl>
  );
}
