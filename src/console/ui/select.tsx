import type { JSX } from 'preact';
import type { Ties } from './fields.tsx';

export type Options = readonly (readonly [value: string, name: string])[];

interface SelectProps {
  readonly value: string;
  readonly options: Options;
  readonly onValue: (value: string) => void;
  /** What ties it to its label, where it does not stand within it. */
  readonly ties?: Ties;
}

/** A choice of one, for a field to label. */
export const Select = ({ value, options, onValue, ties }: SelectProps): JSX.Element => (
  <select
    {...ties}
    value={value}
    onChange={({ currentTarget }) => {
      onValue(currentTarget.value);
    }}
  >
    {options.map(([one, text]) => (
      <option key={one} value={one}>
        {text}
      </option>
    ))}
  </select>
);
