import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

interface MapFieldProps {
  readonly name: string;
  readonly help: string | undefined;
  readonly problem: string | null;
  readonly value: unknown;
  readonly onValue: (value: Record<string, string> | null) => void;
}

type Pair = readonly [name: string, value: string];

/** Names and their values, a row each. */
export function MapField({ name, help, problem, value, onValue }: MapFieldProps): JSX.Element {
  const [pairs, setPairs] = useState<readonly Pair[]>(() =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([key, one]) => [key, String(one)])
      : [],
  );
  const change = (next: readonly Pair[]): void => {
    setPairs(next);
    const named = next.filter(([key]) => key !== '');
    onValue(named.length === 0 ? null : Object.fromEntries(named));
  };
  return (
    <fieldset class="field group">
      <legend class="field-name">{name}</legend>
      {pairs.map((pair, index) => (
        <PairRow
          key={index}
          pair={pair}
          named={(part) => `${name}, ${part} ${String(index + 1)}`}
          onPair={(next) => {
            change(
              next === null
                ? pairs.filter((_, at) => at !== index)
                : pairs.map((one, at) => (at === index ? next : one)),
            );
          }}
        />
      ))}
      <div>
        <button
          type="button"
          class="button small-button"
          onClick={() => {
            setPairs([...pairs, ['', '']]);
          }}
        >
          Add<span class="unseen">{` to ${name}`}</span>
        </button>
      </div>
      {help === undefined ? null : <span class="help">{help}</span>}
      {problem === null ? null : <span class="problem">{problem}</span>}
    </fieldset>
  );
}

interface PairRowProps {
  readonly pair: Pair;
  readonly named: (part: string) => string;
  /** null: it is removed. */
  readonly onPair: (pair: Pair | null) => void;
}

const PairRow = ({ pair: [key, value], named, onPair }: PairRowProps): JSX.Element => {
  const part = (what: string, text: string, onText: (text: string) => void): JSX.Element => (
    <input
      type="text"
      aria-label={named(what)}
      placeholder={what}
      spellcheck={false}
      value={text}
      onInput={({ currentTarget }) => {
        onText(currentTarget.value);
      }}
    />
  );
  return (
    <div class="pair">
      {part('name', key, (text) => {
        onPair([text, value]);
      })}
      {part('value', value, (text) => {
        onPair([key, text]);
      })}
      <button
        type="button"
        class="button"
        onClick={() => {
          onPair(null);
        }}
      >
        Remove<span class="unseen">{` ${key}`}</span>
      </button>
    </div>
  );
};
