import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import { Select } from './select.tsx';
import type { Options } from './select.tsx';

interface FieldProps {
  readonly name: string;
  readonly help?: string | undefined;
  /** What is wrong with it. */
  readonly problem?: string | null | undefined;
  /** Gets the attributes that tie it to its help and its problem. */
  readonly children: (ties: Ties) => ComponentChildren;
}

export interface Ties {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': 'true' | undefined;
}

/** A labelled control with its help and its error, which a screen reader reads with it. */
export function Field({ name, help, problem = null, children }: FieldProps): JSX.Element {
  const id = useId();
  const described = [help === undefined ? '' : `${id}-help`, problem === null ? '' : `${id}-problem`]
    .filter((one) => one !== '')
    .join(' ');
  return (
    <div class="field">
      <label class="field-name" for={id}>
        {name}
      </label>
      {children({
        id,
        'aria-describedby': described === '' ? undefined : described,
        'aria-invalid': problem === null ? undefined : 'true',
      })}
      {help === undefined ? null : (
        <span class="help" id={`${id}-help`}>
          {help}
        </span>
      )}
      {problem === null ? null : (
        <span class="problem" id={`${id}-problem`}>
          {problem}
        </span>
      )}
    </div>
  );
}

interface TextProps {
  readonly name: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly help?: string | undefined;
  readonly problem?: string | null | undefined;
  /** Words that the browser offers. */
  readonly offers?: readonly string[];
  readonly required?: boolean;
  readonly placeholder?: string;
}

export function TextField({
  name,
  value,
  onValue,
  help,
  problem,
  offers,
  required,
  placeholder,
}: TextProps): JSX.Element {
  const list = useId();
  return (
    <Field name={name} help={help} problem={problem}>
      {(ties) => (
        <>
          <input
            {...ties}
            type="text"
            autocomplete="off"
            spellcheck={false}
            required={required}
            placeholder={placeholder}
            list={offers === undefined ? undefined : list}
            value={value}
            onInput={({ currentTarget }) => {
              onValue(currentTarget.value);
            }}
          />
          {offers === undefined ? null : (
            <datalist id={list}>
              {offers.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

interface AreaProps extends TextProps {
  readonly rows?: number;
}

export const AreaField = ({ name, value, onValue, help, problem, rows = 6 }: AreaProps): JSX.Element => (
  <Field name={name} help={help} problem={problem}>
    {(ties) => (
      <textarea
        {...ties}
        rows={rows}
        spellcheck={false}
        value={value}
        onInput={({ currentTarget }) => {
          onValue(currentTarget.value);
        }}
      />
    )}
  </Field>
);

interface ChoiceProps extends TextProps {
  readonly options: Options;
}

export const ChoiceField = ({ name, value, onValue, help, problem, options }: ChoiceProps): JSX.Element => (
  <Field name={name} help={help} problem={problem}>
    {(ties) => <Select ties={ties} value={value} options={options} onValue={onValue} />}
  </Field>
);
