import { quote, parseRaw, valueEnd } from './json.ts';
import type { RawText } from './text.ts';

/** A value inside a document: raw JSON that nobody has looked into yet, or an opened container. */
export type Value = RawText | JsonObject | JsonArray;

const textOf = (value: Value): RawText => (typeof value === 'string' ? value : value.toRaw());

/** Looks into a value: the container it is, or null for a string, number, boolean or null. */
export function open(value: Value): JsonObject | JsonArray | null {
  if (typeof value !== 'string') return value;
  if (value.startsWith('{')) return new JsonObject(value);
  return value.startsWith('[') ? new JsonArray(value) : null;
}

/**
 * A JSON object that is edited in its text. Everything that is not touched leaves byte for byte as it came, numbers,
 * escapes and the order of members included.
 */
export class JsonObject {
  readonly #members = new Map<string, Value>();

  constructor(raw: RawText = '{}') {
    for (let i = 1; i < raw.length - 1;) {
      const keyEnd = valueEnd(raw, i);
      const end = valueEnd(raw, keyEnd + 1);
      this.#members.set(parseRaw(raw.slice(i, keyEnd)) as string, raw.slice(keyEnd + 1, end));
      i = end + 1;
    }
  }

  keys(): string[] {
    return [...this.#members.keys()];
  }

  get(key: string): Value | undefined {
    return this.#members.get(key);
  }

  /** The container under a key, kept open so that edits of it count; null when there is none. */
  child(key: string): JsonObject | JsonArray | null {
    const value = this.#members.get(key);
    if (value === undefined) return null;
    const container = open(value);
    if (container !== null) this.#members.set(key, container);
    return container;
  }

  object(key: string): JsonObject | null {
    const container = this.child(key);
    return container instanceof JsonObject ? container : null;
  }

  /** The value under a key, parsed; undefined when there is none. */
  value(key: string): unknown {
    const value = this.#members.get(key);
    return value === undefined ? undefined : parseRaw(textOf(value));
  }

  set(key: string, value: Value): void {
    this.#members.set(key, value);
  }

  delete(key: string): void {
    this.#members.delete(key);
  }

  toRaw(): RawText {
    let out = '';
    for (const [key, value] of this.#members) {
      out += `${out === '' ? '' : ','}${quote(key)}:${textOf(value)}`;
    }
    return `{${out}}`;
  }
}

/** A JSON array that is edited in its text. */
export class JsonArray {
  readonly #items: Value[] = [];

  constructor(raw: RawText = '[]') {
    for (let i = 1; i < raw.length - 1;) {
      const end = valueEnd(raw, i);
      this.#items.push(raw.slice(i, end));
      i = end + 1;
    }
  }

  get length(): number {
    return this.#items.length;
  }

  child(index: number): JsonObject | JsonArray | null {
    const value = this.#items[index];
    if (value === undefined) return null;
    const container = open(value);
    if (container !== null) this.#items[index] = container;
    return container;
  }

  get(index: number): Value | undefined {
    return this.#items[index];
  }

  set(index: number, value: Value): void {
    this.#items[index] = value;
  }

  toRaw(): RawText {
    return `[${this.#items.map(textOf).join(',')}]`;
  }
}
