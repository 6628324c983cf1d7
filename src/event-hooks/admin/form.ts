import { setOwn } from '../../base/set-own.ts';
import type { FormField, FormFields } from '../model/form-fields.ts';

type Node = Record<string, unknown>;
type Fields = ReadonlyMap<string, FormField>;

/**
 * Reads a form body as Kong does: `config.url=...`, `config.headers.x-a=...`, lists as `config.functions=...`,
 * `config.functions[]=...`, `config.functions[1]=...` or by repeating the name. An empty value is null.
 * @param fields what the fields are, for the handler that the form names
 * @param valueOf what a field's text stands for; by default what Kong takes it for
 */
export function parseForm(
  pairs: Iterable<readonly [string, string]>,
  fields: FormFields,
  valueOf: (field: FormField | undefined, text: string) => unknown = convert,
): Node {
  const all = [...pairs];
  const known = fields.of(all.find(([name]) => name === 'handler')?.[1]);
  const root: Node = {};
  for (const [name, text] of all) {
    const match = /^(.*?)\[(\d*)\]$/.exec(name);
    const { steps, field } = find(match?.[1] ?? name, known);
    put(root, steps, valueOf(field, text), match !== null, field?.shape === 'list');
  }
  return root;
}

function put(root: Node, path: string[], value: unknown, indexed: boolean, isList: boolean): void {
  const steps = [...path];
  const last = steps.pop() ?? '';
  let at = root;
  for (const step of steps) {
    const below = Object.hasOwn(at, step) ? at[step] : undefined;
    if (typeof below === 'object' && below !== null && !Array.isArray(below)) at = below as Node;
    else {
      const made: Node = {};
      setOwn(at, step, made);
      at = made;
    }
  }
  const before = Object.hasOwn(at, last) ? at[last] : undefined;
  if (Array.isArray(before)) before.push(value);
  else if (before !== undefined) setOwn(at, last, [before, value]);
  else setOwn(at, last, indexed || (isList && value !== null && !Array.isArray(value)) ? [value] : value);
}

/** The field of a name, and the steps to its place. Everything behind a map's name is one name, dots included. */
function find(name: string, fields: Fields): { steps: string[]; field: FormField | undefined } {
  for (const [path, field] of fields) {
    if (field.shape === 'map' && name.length > path.length + 1 && name.startsWith(`${path}.`))
      return { steps: [...path.split('.'), name.slice(path.length + 1)], field };
  }
  return { steps: name.split('.'), field: fields.get(name) };
}

/** A field of text stays text in a form. Kong, too, infers the rest from its schema. */
function convert(field: FormField | undefined, text: string): unknown {
  if (text === '') return null;
  if (field?.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  const isNumber = field?.type === 'number' || field?.type === 'integer';
  return isNumber && text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}
