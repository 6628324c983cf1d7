import { setOwn } from '../../base/set-own.ts';
import { asRecord, asSequence, eachField, isObject, isTable } from '../../kong-end/index.ts';
import type { Field, PlainObject, Shape } from '../../kong-end/index.ts';

type Pair = readonly [key: string, value: string];

/** How deep a name may nest; Kong's JSON goes as deep. */
const maxDepth = 1000;

/**
 * Nested values from flat keys: `config.a=1`, `config[a]=1`, `paths[]=/x`, `paths[1]=/x`, a key given twice.
 * @returns null where a name nests too deep
 */
export function decodeForm(pairs: Iterable<Pair>): PlainObject | null {
  const result: PlainObject = {};
  const sizes = new Sizes();
  for (const [key, value] of pairs) {
    const path = keyPath(key);
    if (path.length > maxDepth) return null;
    assign(result, path, value, sizes);
  }
  return lists(result) as PlainObject;
}

/** How many keys the objects of a form have: counted once, since a form may hold millions of them. */
class Sizes {
  readonly #known = new Map<PlainObject, number>();

  of(object: PlainObject): number {
    const known = this.#known.get(object) ?? Object.keys(object).length;
    this.#known.set(object, known);
    return known;
  }

  set(object: PlainObject, key: string, value: unknown): void {
    if (!Object.hasOwn(object, key)) this.#known.set(object, this.of(object) + 1);
    setOwn(object, key, value);
  }
}

/** `a.b[c][]` is a, b, c and an empty part. */
function keyPath(key: string): string[] {
  const parts: string[] = [];
  const lastClose = key.lastIndexOf(']');
  let word = 0;
  const endWord = (at: number): void => {
    if (at > word) parts.push(key.slice(word, at));
    word = at + 1;
  };
  for (let at = 0; at < key.length; at++) {
    const one = key[at];
    if (one !== '.' && one !== '[' && one !== ']') continue;
    endWord(at);
    if (one !== '[' || at > lastClose) continue;
    const close = key.indexOf(']', at);
    parts.push(key.slice(at + 1, close));
    at = close;
    word = close + 1;
  }
  endWord(key.length);
  return parts.length === 0 ? [key] : parts;
}

function assign(target: PlainObject, path: readonly string[], value: string, sizes: Sizes): void {
  let at = target;
  path.forEach((part, index) => {
    const key = part === '' ? String(sizes.of(at) + 1) : part;
    const current = Object.hasOwn(at, key) ? at[key] : undefined;
    if (index === path.length - 1) {
      if (current === undefined) sizes.set(at, key, value);
      else if (isObject(current)) sizes.set(current, String(sizes.of(current) + 1), value);
      else sizes.set(at, key, { 1: current, 2: value });
      return;
    }
    if (isObject(current)) at = current;
    else {
      const next: PlainObject = current === undefined ? {} : { 1: current };
      sizes.set(at, key, next);
      at = next;
    }
  });
}

/** Objects whose keys are 1, 2, 3... become lists. */
function lists(value: unknown): unknown {
  if (!isObject(value)) return value;
  const entries = Object.entries(value);
  if (entries.length > 0 && entries.every(([key], index) => key === String(index + 1))) {
    return entries.map(([, item]) => lists(item));
  }
  for (const [key, item] of entries) setOwn(value, key, lists(item));
  return value;
}

/** Reads the texts of a form as the schema says: numbers, booleans, lists of one, empty as null. */
export function inferTypes(schema: Shape, values: PlainObject): PlainObject {
  const result = { ...values };
  for (const [name, field] of eachField(schema, values)) {
    if (values[name] !== undefined) result[name] = infer(field, values[name]);
  }
  for (const [name, field] of schema.shorthands) {
    if (values[name] !== undefined && !schema.fields.has(name)) result[name] = infer(field, values[name]);
  }
  if (schema.definition.ttl === true && values['ttl'] !== undefined) result['ttl'] = toNumber(values['ttl']);
  return result;
}

function infer(field: Field, value: unknown): unknown {
  if (value === '' || value === null) return null;
  const { elements, values, record } = field;
  switch (field.schema.type) {
    case 'number':
    case 'integer':
      return toNumber(value);
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : value;
    case 'array':
    case 'set': {
      const list = isTable(value) ? asSequence(value) : [value];
      return list === null || elements === undefined ? value : list.map((item) => infer(elements, item));
    }
    case 'map':
      if (!isTable(value) || values === undefined) return value;
      return Object.fromEntries(
        Object.entries(asRecord(value)).map(([key, item]) => [key, infer(values, item)]),
      );
    case 'record':
      return isTable(value) && record !== undefined ? inferTypes(record, asRecord(value)) : value;
    default:
      return value;
  }
}

function toNumber(value: unknown): unknown {
  if (typeof value !== 'string' || value.trim() === '') return value;
  const number = Number(value);
  return Number.isNaN(number) ? value : number;
}
