import type { JSX } from 'preact';

interface ListFieldProps {
  readonly name: string;
  readonly help: string | undefined;
  readonly problem: string | null;
  readonly value: unknown;
  readonly onValue: (value: string[] | undefined) => void;
}

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** A list of short texts, one a line. */
export function ListField({ name, help, problem, value, onValue }: ListFieldProps): JSX.Element {
  return (
    <Several
      name={name}
      help={help === undefined ? 'One a line.' : `${help} One a line.`}
      problem={problem}
      all={[texts(value).join('\n')]}
      rows={3}
      onAll={([text = '']) => {
        const lines = text.split('\n').filter((line) => line !== '');
        onValue(lines.length === 0 ? undefined : lines);
      }}
    />
  );
}

const firstFunction = 'return function (data, event, source, pid)\n  return true\nend\n';

/** Lua functions, each in a text of its own. What does not compile is said while it is typed. */
export function FunctionsField({ name, help, problem, value, onValue }: ListFieldProps): JSX.Element {
  const all = texts(value);
  return (
    <>
      <Several name={name} help={help} problem={problem} all={all} rows={8} onAll={onValue} />
      <div class="row">
        <button
          type="button"
          class="button small-button"
          onClick={() => {
            onValue([...all, firstFunction]);
          }}
        >
          Add a function
        </button>
        {all.length > 0 ? (
          <button
            type="button"
            class="button small-button"
            onClick={() => {
              onValue(all.length === 1 ? undefined : all.slice(0, -1));
            }}
          >
            Remove the last one
          </button>
        ) : null}
      </div>
    </>
  );
}

interface SeveralProps {
  readonly name: string;
  readonly help: string | undefined;
  readonly problem: string | null;
  readonly all: readonly string[];
  readonly rows: number;
  readonly onAll: (all: string[]) => void;
}

const Several = ({ name, help, problem, all, rows, onAll }: SeveralProps): JSX.Element => (
  <fieldset class="field group">
    <legend class="field-name">{name}</legend>
    {all.map((text, index) => (
      <textarea
        key={index}
        rows={rows}
        spellcheck={false}
        aria-label={`${name} ${String(index + 1)}`}
        aria-invalid={problem === null ? undefined : 'true'}
        value={text}
        onInput={({ currentTarget }) => {
          onAll(all.map((one, at) => (at === index ? currentTarget.value : one)));
        }}
      />
    ))}
    {help === undefined ? null : <span class="help">{help}</span>}
    {problem === null ? null : (
      <span class="problem" role="status">
        {problem}
      </span>
    )}
  </fieldset>
);
