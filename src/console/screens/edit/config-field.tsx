import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { valueOf } from '../../model/draft.ts';
import type { FieldSpec } from '../../model/handler-schema.ts';
import { newSecret } from '../../model/new-secret.ts';
import { CheckField } from '../../ui/check-field.tsx';
import { AreaField, ChoiceField, Field, TextField } from '../../ui/fields.tsx';
import type { Form } from './form.ts';
import { help, label } from './help.ts';
import { FunctionsField, ListField } from './list-field.tsx';
import { MapField } from './map-field.tsx';

interface ConfigFieldProps {
  readonly form: Form;
  readonly spec: FieldSpec;
}

/** One field of a handler's configuration, by its shape. */
export function ConfigField({ form, spec }: ConfigFieldProps): JSX.Element {
  const path = `config.${spec.name}`;
  const value = valueOf(form.draft, path);
  const common = { name: label(path), help: spec.description ?? help[path], problem: form.problem(path) };
  const text = typeof value === 'string' ? value : '';
  const set = (next: unknown): void => {
    form.set(path, next);
  };
  // An empty text is a field that is not set.
  const setText = (next: string): void => {
    set(next === '' && !spec.required ? (spec.fallback === null ? null : undefined) : next);
  };
  switch (spec.shape) {
    case 'boolean':
      return (
        <CheckField
          {...common}
          checked={value === undefined ? spec.fallback === true : value === true}
          onChecked={set}
        />
      );
    case 'choice': {
      const options = [
        ['', 'as it is by default'] as const,
        ...spec.choices.map((one) => [one, one] as const),
      ];
      return <ChoiceField {...common} value={text} options={options} onValue={setText} />;
    }
    case 'number':
      return <NumberField {...common} value={value} onNumber={set} />;
    case 'map':
      return (
        <MapField
          {...common}
          value={value}
          onValue={(next) => {
            set(next ?? spec.fallback ?? undefined);
          }}
        />
      );
    case 'list':
      return spec.name === 'functions' ? (
        <FunctionsField {...common} value={value} onValue={set} />
      ) : (
        <ListField {...common} value={value} onValue={set} />
      );
    case 'json':
      return <JsonField {...common} value={value} onValue={set} />;
    case 'text':
      if (spec.name === 'secret') return <SecretField {...common} value={text} onValue={setText} />;
      if (spec.name === 'body') return <AreaField {...common} value={text} onValue={setText} />;
      return <TextField {...common} value={text} required={spec.required} onValue={setText} />;
  }
}

interface CommonProps {
  readonly name: string;
  readonly help: string | undefined;
  readonly problem: string | null;
}

export const NumberField = ({
  value,
  onNumber,
  ...common
}: CommonProps & { value: unknown; onNumber: (value: number | undefined) => void }): JSX.Element => (
  <Field {...common}>
    {(ties) => (
      <input
        {...ties}
        type="number"
        min="0"
        step="any"
        value={typeof value === 'number' ? String(value) : ''}
        onInput={({ currentTarget: { value: text, valueAsNumber } }) => {
          onNumber(text === '' || Number.isNaN(valueAsNumber) ? undefined : valueAsNumber);
        }}
      />
    )}
  </Field>
);

function SecretField({
  value,
  onValue,
  ...common
}: CommonProps & { value: string; onValue: (value: string) => void }): JSX.Element {
  const [shown, setShown] = useState(false);
  return (
    <Field {...common}>
      {(ties) => (
        <div class="row">
          <input
            {...ties}
            class="grow"
            type={shown ? 'text' : 'password'}
            autocomplete="off"
            spellcheck={false}
            value={value}
            onInput={({ currentTarget }) => {
              onValue(currentTarget.value);
            }}
          />
          <button
            type="button"
            class="button"
            aria-pressed={shown}
            onClick={() => {
              setShown(!shown);
            }}
          >
            Show
          </button>
          <button
            type="button"
            class="button"
            onClick={() => {
              onValue(newSecret());
              setShown(true);
            }}
          >
            Make one
          </button>
        </div>
      )}
    </Field>
  );
}

/** Whatever has no widget of its own is written as JSON. */
function JsonField({
  value,
  onValue,
  ...common
}: CommonProps & { value: unknown; onValue: (value: unknown) => void }): JSX.Element {
  const [text, setText] = useState(value === undefined ? '' : JSON.stringify(value, null, 2));
  const [wrong, setWrong] = useState(false);
  return (
    <AreaField
      {...common}
      problem={wrong ? 'this is no JSON' : common.problem}
      value={text}
      onValue={(next) => {
        setText(next);
        try {
          onValue(next.trim() === '' ? undefined : (JSON.parse(next) as unknown));
          setWrong(false);
        } catch {
          setWrong(true);
        }
      }}
    />
  );
}
