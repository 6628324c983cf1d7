import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { HandlerSpec } from '../../model/handler-schema.ts';
import { ChoiceField } from '../../ui/fields.tsx';
import { ConfigField, NumberField } from './config-field.tsx';
import type { Form } from './form.ts';
import { help, managed, placeOf } from './help.ts';
import { RetrySchedule } from './retry-schedule.tsx';

/** What a delivery does, and the fields of that kind. */
export function Handler({ form, handlers }: { form: Form; handlers: readonly HandlerSpec[] }): JSX.Element {
  const name = String(form.draft['handler']);
  const spec = handlers.find((one) => one.name === name);
  // A kind's fields come back when the reader comes back to it.
  const left = useRef(new Map<string, unknown>());
  return (
    <section class="card stack" aria-labelledby="handler">
      <h2 id="handler">What it does</h2>
      <ChoiceField
        name="Handler"
        value={name}
        options={handlers.map((one) => [one.name, one.name])}
        problem={form.problem('handler')}
        onValue={(next) => {
          left.current.set(name, form.draft.config);
          form.set('handler', next);
          form.set('config', left.current.get(next) ?? startOf(handlers, next));
        }}
      />
      {spec?.fields
        .filter((field) => !managed.has(field.name))
        .toSorted((a, b) => placeOf(a.name) - placeOf(b.name))
        .map((field) => (
          <ConfigField key={`${name} ${field.name}`} form={form} spec={field} />
        ))}
      {spec?.fields.length === 0 ? <p class="quiet small">It needs nothing else.</p> : null}
    </section>
  );
}

/** What a new hook of a kind starts with: its required fields. */
export function startOf(handlers: readonly HandlerSpec[], name: string): Record<string, unknown> {
  const spec = handlers.find((one) => one.name === name);
  const required = spec?.fields.filter((field) => field.required) ?? [];
  return Object.fromEntries(required.map((field) => [field.name, firstValue(field.name, field.shape)]));
}

const firstValue = (name: string, shape: string): unknown => {
  if (name === 'method') return 'POST';
  if (name === 'functions') return ['return function (data, event, source, pid)\n  return true\nend\n'];
  return shape === 'list' ? [] : '';
};

/** How much at a time, how fast, and how often again. */
export function Limits({ form }: { form: Form }): JSX.Element {
  const { draft, set, problem } = form;
  return (
    <details class="card as-table">
      <summary>Limits and retries</summary>
      <div class="stack">
        <div class="two">
          <NumberField
            name="At a time"
            help={help['concurrency']}
            problem={problem('concurrency')}
            value={draft['concurrency']}
            onNumber={(value) => {
              set('concurrency', value);
            }}
          />
          <NumberField
            name="A second"
            help={help['rate']}
            problem={problem('rate')}
            value={draft['rate']}
            onNumber={(value) => {
              set('rate', value);
            }}
          />
        </div>
        <RetrySchedule form={form} />
      </div>
    </details>
  );
}
