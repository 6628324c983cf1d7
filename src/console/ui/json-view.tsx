import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ExactNumber, writeJson } from '../text/exact-json.ts';
import { bytes, count } from '../text/format.ts';
import { visible } from '../text/visible.ts';
import { CopyButton } from './copy-button.tsx';

/** How much is shown before the reader asks for more: a payload may have a mebibyte, or a hundred levels. */
const mostMembers = 100;
const mostCharacters = 2000;
const openLevels = 3;

interface JsonViewProps {
  readonly value: unknown;
  /** What it is, such as `Payload`. */
  readonly label: string;
  readonly copy?: boolean;
}

/** JSON as a tree that opens level by level. Everything in it is text of strangers and goes to text nodes only. */
export function JsonView({ value, label, copy = false }: JsonViewProps): JSX.Element {
  const [asText, setAsText] = useState(false);
  return (
    <div class="json">
      {copy ? (
        <div class="row json-tools">
          <button
            type="button"
            class="button small-button"
            aria-pressed={asText}
            onClick={() => {
              setAsText(!asText);
            }}
          >
            As text
          </button>
          <CopyButton text={() => writeJson(value)} what={label.toLowerCase()} />
        </div>
      ) : null}
      <div class="json-body" tabIndex={0} role="region" aria-label={`${label}, as JSON`}>
        {asText ? <Long text={writeJson(value)} most={64 * 1024} /> : <Value value={value} level={0} />}
      </div>
    </div>
  );
}

interface ValueProps {
  readonly value: unknown;
  readonly level: number;
  /** The name of the field that holds it; null in lists. */
  readonly name?: string | null;
}

/** A value behind its name. */
function Value({ value, level, name = null }: ValueProps): JSX.Element {
  if (typeof value === 'object' && value !== null && !(value instanceof ExactNumber))
    return <Members of={value} level={level} name={name} />;
  return (
    <>
      <Name of={name} />
      <Plain value={value} />
    </>
  );
}

const Name = ({ of }: { of: string | null }): JSX.Element | null =>
  of === null ? null : <bdi class="json-name">{visible(JSON.stringify(of))}: </bdi>;

function Plain({ value }: { value: unknown }): JSX.Element {
  if (value instanceof ExactNumber) return <span class="json-number">{value.digits}</span>;
  if (typeof value === 'string')
    return <Long text={JSON.stringify(value)} most={mostCharacters} kind="json-string" />;
  return <span class={typeof value === 'number' ? 'json-number' : 'json-word'}>{String(value)}</span>;
}

function Members({ of, level, name }: { of: object; level: number; name: string | null }): JSX.Element {
  const isList = Array.isArray(of);
  const names = Object.keys(of);
  const [open, setOpen] = useState(level < openLevels && names.length <= mostMembers);
  const [most, setMost] = useState(mostMembers);
  const [begin, end] = isList ? '[]' : '{}';
  if (names.length === 0) {
    return (
      <>
        <Name of={name} />
        <span class="json-word">{`${String(begin)}${String(end)}`}</span>
      </>
    );
  }
  const unit = isList ? 'item' : 'field';
  return (
    <details
      open={open}
      onToggle={({ currentTarget }) => {
        setOpen(currentTarget.open);
      }}
    >
      <summary>
        <Name of={name} />
        <span class="json-word">{begin}</span>{' '}
        <span class="quiet small">{`${count(names.length)} ${unit}${names.length === 1 ? '' : 's'}`}</span>
      </summary>
      {open ? (
        <ul>
          {names.slice(0, most).map((one) => (
            <li key={one}>
              <Value
                value={(of as Record<string, unknown>)[one]}
                level={level + 1}
                name={isList ? null : one}
              />
            </li>
          ))}
          {names.length > most ? (
            <li>
              <button
                type="button"
                class="button small-button"
                onClick={() => {
                  setMost(most + 10 * mostMembers);
                }}
              >
                {`${count(names.length - most)} more`}
              </button>
            </li>
          ) : null}
        </ul>
      ) : null}
    </details>
  );
}

function Long({ text, most, kind = '' }: { text: string; most: number; kind?: string }): JSX.Element {
  const [whole, setWhole] = useState(false);
  const shown = whole || text.length <= most ? text : text.slice(0, most);
  return (
    <>
      <bdi class={`json-text ${kind}`}>{visible(shown)}</bdi>
      {shown.length < text.length ? (
        <button
          type="button"
          class="button small-button"
          onClick={() => {
            setWhole(true);
          }}
        >
          {`Show all ${bytes(text.length)}`}
        </button>
      ) : null}
    </>
  );
}
