import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Select } from './select.tsx';
import type { Options } from './select.tsx';

interface FilterProps {
  readonly name: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

interface SearchProps extends FilterProps {
  readonly hint?: string;
  readonly maxLength?: number;
  /** How long the reader may pause between letters, in milliseconds. Default 200. */
  readonly pauseMs?: number;
}

/** A text that is looked for once the reader stops typing. */
export function SearchField({
  name,
  value,
  hint,
  onValue,
  maxLength = 256,
  pauseMs = 200,
}: SearchProps): JSX.Element {
  const [text, setText] = useState(value);
  const told = useRef(value);
  const tell = (now: string): void => {
    if (now === told.current) return;
    told.current = now;
    onValue(now);
  };
  useEffect(() => {
    // The address has changed by itself.
    if (value === told.current) return;
    told.current = value;
    setText(value);
  }, [value]);
  useEffect(() => {
    const timer = setTimeout(() => {
      tell(text);
    }, pauseMs);
    return () => {
      clearTimeout(timer);
    };
  }, [text]);
  return (
    <label class="field grow">
      <span class="field-name">{name}</span>
      <input
        type="search"
        value={text}
        placeholder={hint}
        maxLength={maxLength}
        spellcheck={false}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
        }}
        onKeyDown={({ key }) => {
          if (key === 'Enter') tell(text);
        }}
      />
    </label>
  );
}

export const SelectField = ({
  name,
  ...choice
}: FilterProps & { readonly options: Options }): JSX.Element => (
  <label class="field">
    <span class="field-name">{name}</span>
    <Select {...choice} />
  </label>
);

/** A moment in the reader's own time; the value is an ISO time, or nothing. */
export const MomentField = ({ name, value, onValue }: FilterProps): JSX.Element => (
  <label class="field moment">
    <span class="field-name">{name}</span>
    <input
      type="datetime-local"
      value={localOf(value)}
      onChange={({ currentTarget }) => {
        const at = currentTarget.value === '' ? NaN : new Date(currentTarget.value).getTime();
        onValue(Number.isNaN(at) ? '' : new Date(at).toISOString());
      }}
    />
  </label>
);

function localOf(iso: string): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return '';
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
