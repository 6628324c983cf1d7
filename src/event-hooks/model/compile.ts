import { z } from 'zod';
import { HookInvalidError } from './errors.ts';
import type { Violation } from './errors.ts';
import type { FormField } from './form-fields.ts';
import type { Hook } from './hook.ts';
import type { KindDescription } from './kind.ts';
import type { KindSet } from './kind-set.ts';
import { handlerlessSchema } from './schema.ts';

/** Fields of ours: absent instead of null, so that a hook without them is byte for byte what Kong answers. */
const ours = ['enabled', 'filter', 'concurrency', 'rate', 'retry_schedule', 'disabled_reason'] as const;
/** Fields that the server sets; a client may send them back (as decK and PUT do), and they are not taken over. */
const readOnly = ['id', 'created_at', 'updated_at', 'disabled_reason'] as const;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Turns what a client sent into a hook without id and times.
 * @param raw any JSON value
 * @param kinds the handlers that it can name
 * @throws HookInvalidError naming every field that is wrong
 */
export function compileHook(raw: unknown, kinds: KindSet): Omit<Hook, 'id' | 'created_at' | 'updated_at'> {
  if (!isRecord(raw)) throw new HookInvalidError([{ path: '@entity', text: 'expected a record' }]);
  const input = { ...raw };
  for (const field of readOnly) delete input[field];
  for (const field of ours) if (input[field] === null) delete input[field];
  // null means unset everywhere, as in Kong. For required fields that is the same as leaving them out.
  for (const field of ['source', 'handler', 'config'] as const)
    if (input[field] === null) delete input[field];
  const kind = kinds.get(input.handler);
  if (kind !== null) input.config ??= {};
  if (isRecord(input.config)) input.config = withoutNullOptions(input.config, kind);
  const result = (kinds.schema(input.handler) ?? handlerlessSchema).safeParse(input);
  const fields = kinds.form.of(input.handler);
  const violations = result.success
    ? []
    : result.error.issues.flatMap((issue) => violationsOf(issue, input, fields));
  if (kind === null) {
    const text =
      input.handler === undefined ? 'required field missing' : `expected one of: ${kinds.names.join(', ')}`;
    violations.push({ path: 'handler', text });
  }
  if (violations.length > 0 || !result.success || kind === null)
    throw new HookInvalidError(dedupe(violations));
  const hook = result.data;
  if (hook.enabled === true) delete hook.enabled;
  return hook as unknown as Omit<Hook, 'id' | 'created_at' | 'updated_at'>;
}

/** If a field has a default, Kong takes null for the default. If null is a value of the field, it stays. */
function withoutNullOptions(
  config: Record<string, unknown>,
  kind: KindDescription | null,
): Record<string, unknown> {
  const schemas: Readonly<Record<string, z.core.$ZodType>> = kind?.config.shape ?? {};
  const takesNull = (field: string): boolean => {
    const schema = Object.hasOwn(schemas, field) ? schemas[field] : undefined;
    return schema !== undefined && z.safeParse(schema, null).success;
  };
  return Object.fromEntries(
    Object.entries(config).filter(([field, value]) => value !== null || takesNull(field)),
  );
}

function dedupe(violations: Violation[]): Violation[] {
  const seen = new Map<string, Violation>();
  for (const violation of violations) if (!seen.has(violation.path)) seen.set(violation.path, violation);
  return [...seen.values()];
}

const expectedText: Record<string, string> = {
  string: 'expected a string',
  boolean: 'expected a boolean',
  int: 'expected an integer',
  number: 'expected a number',
  array: 'expected an array',
  record: 'expected a map',
  object: 'expected a record',
};

function violationsOf(
  issue: z.core.$ZodIssue,
  input: unknown,
  fields: ReadonlyMap<string, FormField>,
): Violation[] {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: path === '' ? key : `${path}.${key}`, text: 'unknown field' }));
  }
  if (issue.code === 'invalid_type') {
    let value: unknown = input;
    for (const step of issue.path)
      value = isRecord(value) || Array.isArray(value) ? (value as never)[step] : undefined;
    if (value === undefined || value === null) return [{ path, text: 'required field missing' }];
    const expected = fields.get(path)?.type === 'integer' ? 'int' : issue.expected;
    return [{ path, text: expectedText[expected] ?? `expected a ${expected}` }];
  }
  if (issue.code === 'invalid_value')
    return [{ path, text: `expected one of: ${issue.values.map(String).join(', ')}` }];
  if (issue.code === 'invalid_key') return [{ path, text: issue.issues[0]?.message ?? 'invalid key' }];
  return [{ path: path === '' ? '@entity' : path, text: issue.message }];
}
