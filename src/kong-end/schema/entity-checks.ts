import { compileField, fieldAt } from './shape.ts';
import type { Field, FieldCheck, Shape } from './shape.ts';
import { quotedList } from './lua-text.ts';
import { text } from './messages.ts';
import type { FieldErrors, FieldSchema, PlainObject } from './types.ts';
import { getPath, isNonEmpty, isObject, isReference, setPath } from './values.ts';

/** The input of a check: the fields that it asked for, and nothing else. */
interface CheckInput {
  readonly schema: Shape;
  readonly subschema: Shape | undefined;
  readonly get: (name: string) => unknown;
  readonly argument: PlainObject;
  readonly errors: FieldErrors;
  /** Checks one value against a field. */
  readonly check: FieldCheck;
}

/** How the checks of one entity run, and where their findings go. */
interface CheckRun {
  readonly full: boolean;
  readonly errors: FieldErrors;
  readonly check: FieldCheck;
}

/** `detail` goes into the check's own text, `custom` stands for it. */
type Failure = { readonly detail: string; readonly custom?: string } | undefined;

interface Checker {
  /** Runs although fields it asked for are absent. */
  readonly missing: boolean;
  /** Runs although fields it asked for have errors. */
  readonly invalid: boolean;
  /** Which keys of the argument name fields; absent: the argument is the list. */
  readonly sources?: readonly string[];
  /** Those of the sources whose fields must be there. */
  readonly required?: readonly string[];
  readonly run: (input: CheckInput) => Failure;
}

const listed = (argument: unknown): string[] => (Array.isArray(argument) ? (argument as string[]) : []);

const matchFields = new WeakMap<object, Field>();

/**
 * Validates a value against a match: by the attributes of the match, or by those of the field if the match has none.
 */
function matchError(input: CheckInput, key: string, name: string, value: unknown): unknown {
  const match = input.argument[key];
  if (!isObject(match)) return undefined;
  let field = matchFields.get(match);
  if (field === undefined) {
    const base: FieldSchema = fieldAt(input.schema, name, input.subschema)?.schema ?? { type: 'any' };
    field = compileField({ ...base, ...match }, name);
    matchFields.set(match, field);
  }
  return input.check(field, value);
}

function count(input: CheckInput): { names: string[]; filled: number } {
  const names = listed(input.argument);
  return { names, filled: names.filter((name) => isNonEmpty(input.get(name))).length };
}

function conditional(input: CheckInput): Failure {
  const { argument, errors } = input;
  const ifField = String(argument['if_field']);
  const thenField = String(argument['then_field']);
  if (matchError(input, 'if_match', ifField, input.get(ifField)) !== undefined) return undefined;
  const value = input.get(thenField) ?? null;
  const thenMatch = argument['then_match'];
  if (isObject(thenMatch) && thenMatch['required'] === true && value === null) {
    setPath(errors, thenField, text.required);
    return { detail: ifField };
  }
  const error = matchError(input, 'then_match', thenField, value);
  if (error === undefined) return undefined;
  setPath(errors, thenField, error);
  const custom = argument['then_err'];
  return typeof custom === 'string'
    ? { detail: ifField, custom: custom.replace('%s', ifField) }
    : { detail: ifField };
}

function conditionalAtLeastOneOf(input: CheckInput): Failure {
  const { argument } = input;
  const ifField = String(argument['if_field']);
  const value = input.get(ifField);
  if (value === undefined) return undefined;
  let branch: string;
  if (matchError(input, 'if_match', ifField, value) === undefined) branch = 'then';
  else if (argument['else_match'] === undefined) return undefined;
  else if (matchError(input, 'else_match', ifField, value) === undefined) branch = 'else_then';
  else return undefined;
  const names = listed(argument[`${branch}_at_least_one_of`]);
  if (names.some((name) => isNonEmpty(input.get(name)))) return undefined;
  const detail = quotedList(names);
  const custom = argument[`${branch}_err`];
  return typeof custom === 'string' ? { detail, custom: custom.replace('%s', () => detail) } : { detail };
}

function distinct(input: CheckInput): Failure {
  const names = listed(input.argument);
  const values = names.map((name) => input.get(name)).filter(isNonEmpty);
  return new Set(values).size === values.length ? undefined : { detail: quotedList(names) };
}

function exclusiveSets(input: CheckInput): Failure {
  const filled = ['set1', 'set2'].map((key) =>
    listed(input.argument[key]).filter((name) => isNonEmpty(input.get(name))),
  );
  return filled.every((names) => names.length > 0)
    ? { detail: filled.map((names) => `(${quotedList(names)})`).join(', ') }
    : undefined;
}

const checkers: Record<string, Checker> = {
  at_least_one_of: {
    missing: true,
    invalid: true,
    run: (input) => {
      const { names, filled } = count(input);
      return filled > 0 ? undefined : { detail: quotedList(names) };
    },
  },
  conditional_at_least_one_of: {
    missing: true,
    invalid: true,
    sources: ['if_field', 'then_at_least_one_of', 'else_then_at_least_one_of'],
    run: conditionalAtLeastOneOf,
  },
  only_one_of: {
    missing: false,
    invalid: true,
    run: (input) => {
      const { names, filled } = count(input);
      return filled === 1 ? undefined : { detail: quotedList(names) };
    },
  },
  distinct: { missing: false, invalid: true, run: distinct },
  conditional: {
    missing: false,
    invalid: true,
    sources: ['if_field', 'then_field'],
    required: ['if_field'],
    run: conditional,
  },
  custom_entity_check: {
    missing: false,
    invalid: false,
    sources: ['field_sources'],
    required: ['field_sources'],
    run: ({ argument, get }) => {
      const { fn } = argument;
      if (typeof fn !== 'function') return undefined;
      const error = (fn as (get: (name: string) => unknown) => string | undefined)(get);
      return error === undefined ? undefined : { detail: error, custom: error };
    },
  },
  mutually_required: {
    missing: true,
    invalid: false,
    run: (input) => {
      const { names, filled } = count(input);
      return filled === 0 || filled === names.length ? undefined : { detail: quotedList(names) };
    },
  },
  mutually_exclusive: {
    missing: true,
    invalid: false,
    run: (input) => {
      const { names, filled } = count(input);
      return filled <= 1 ? undefined : { detail: quotedList(names) };
    },
  },
  mutually_exclusive_sets: { missing: true, invalid: false, sources: ['set1', 'set2'], run: exclusiveSets },
};

/** Runs the cross-field checks of a schema and its subschema, and adds their findings to `errors`. */
export function runEntityChecks(
  schema: Shape,
  subschema: Shape | undefined,
  entity: PlainObject,
  run: CheckRun,
): void {
  for (const check of schema.entityChecks) runCheck(schema, undefined, check, entity, run);
  for (const check of subschema?.entityChecks ?? []) runCheck(schema, subschema, check, entity, run);
}

function runCheck(
  schema: Shape,
  subschema: Shape | undefined,
  check: Readonly<Record<string, unknown>>,
  entity: PlainObject,
  run: CheckRun,
): void {
  const { full, errors } = run;
  const [name = '', rawArgument] = Object.entries(check)[0] ?? [];
  const checker = checkers[name];
  if (checker === undefined || rawArgument === null || rawArgument === undefined) return;
  const argument = rawArgument as PlainObject;
  const { fields, required } = namedFields(checker, argument);
  const get = (field: string): unknown => getPath(entity, field);

  let absent = true;
  const missing: string[] = [];
  for (const field of fields) {
    const value = get(field);
    const definition = fieldAt(schema, field, subschema)?.schema;
    if (value === undefined) {
      const runs = checker.missing || argument['run_with_missing_fields'] === true;
      if (!runs && required.has(field) && definition?.nilable !== true) missing.push(field);
      continue;
    }
    absent = false;
    if (definition?.type === 'string' && definition.referenceable === true && isReference(value)) return;
  }
  const invalid = fields.some((field) => errors[field] !== undefined);
  if (invalid && !checker.invalid && argument['run_with_invalid_fields'] !== true) return;
  if (absent && !(checker.missing && full)) return;
  if (missing.length > 0) {
    for (const field of missing)
      setPath(errors, field, text.requiredForCheck + (full ? '' : ' when updating'));
    return;
  }
  const failure = checker.run({ schema, subschema, get, argument, errors, check: run.check });
  if (failure === undefined) return;
  const known = text.checks[name as keyof typeof text.checks] as ((detail: string) => string) | undefined;
  const updating = !full && name.endsWith('at_least_one_of') ? 'when updating, ' : '';
  const message = failure.custom ?? updating + (known?.(failure.detail) ?? failure.detail);
  const general = errors['@entity'];
  if (Array.isArray(general)) general.push(message);
  else errors['@entity'] = [message];
}

function namedFields(checker: Checker, argument: PlainObject): { fields: string[]; required: Set<string> } {
  if (checker.sources === undefined) {
    const fields = listed(argument);
    return { fields, required: new Set(fields) };
  }
  const fields: string[] = [];
  const required = new Set<string>();
  for (const source of checker.sources) {
    const value = argument[source];
    const names = typeof value === 'string' ? [value] : listed(value);
    fields.push(...names);
    if (checker.required?.includes(source) === true) names.forEach((name) => required.add(name));
  }
  return { fields, required };
}
