import type { z } from 'zod';
import { HookInvalidError } from './errors.ts';
import type { Violation } from './errors.ts';
import { handlerNames } from './hook.ts';
import type { Hook } from './hook.ts';
import { handlerlessSchema, hookSchema } from './schema.ts';

/** Fields of ours: absent instead of null, so that a hook without them is byte for byte what Kong answers. */
const ours = ['enabled', 'filter', 'concurrency', 'rate', 'retry_schedule', 'disabled_reason'] as const;
const oursInConfig = ['previous_secrets', 'signature'] as const;
/** Fields that the server sets; a client may send them back (as decK and PUT do), and they are not taken over. */
const readOnly = ['id', 'created_at', 'updated_at', 'disabled_reason'] as const;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Turns what a client sent into a hook without id and times.
 * @param raw any JSON value
 * @throws HookInvalidError naming every field that is wrong
 */
export function compileHook(raw: unknown): Omit<Hook, 'id' | 'created_at' | 'updated_at'> {
  if (!isRecord(raw)) throw new HookInvalidError([{ path: '@entity', text: 'expected a record' }]);
  const input = { ...raw };
  for (const field of readOnly) delete input[field];
  for (const field of ours) if (input[field] === null) delete input[field];
  // null means unset everywhere, as in Kong; for the required fields that is the same as leaving them out.
  for (const field of ['source', 'handler', 'config'] as const)
    if (input[field] === null) delete input[field];
  if (isRecord(input.config)) input.config = withoutNullOptions(input.config);
  const known = (handlerNames as readonly unknown[]).includes(input.handler);
  if (known) input.config ??= {};
  const result = known ? hookSchema.safeParse(input) : handlerlessSchema.safeParse(input);
  const violations = result.success ? [] : result.error.issues.flatMap((issue) => violationsOf(issue, input));
  if (!known) {
    const text =
      input.handler === undefined ? 'required field missing' : `expected one of: ${handlerNames.join(', ')}`;
    violations.push({ path: 'handler', text });
  }
  if (violations.length > 0 || !result.success || !known) throw new HookInvalidError(dedupe(violations));
  const hook = result.data as Record<string, unknown>;
  if (hook.enabled === true) delete hook.enabled;
  return hook as unknown as Omit<Hook, 'id' | 'created_at' | 'updated_at'>;
}

function withoutNullOptions(config: Record<string, unknown>): Record<string, unknown> {
  const copy = { ...config };
  for (const field of oursInConfig) if (copy[field] === null) delete copy[field];
  // Kong takes null for a field with a default as the default.
  for (const field of Object.keys(copy)) {
    if (copy[field] === null && !['secret', 'payload', 'body'].includes(field)) delete copy[field];
  }
  return copy;
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

function violationsOf(issue: z.core.$ZodIssue, input: unknown): Violation[] {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: path === '' ? key : `${path}.${key}`, text: 'unknown field' }));
  }
  if (issue.code === 'invalid_type') {
    let value: unknown = input;
    for (const step of issue.path)
      value = isRecord(value) || Array.isArray(value) ? (value as never)[step] : undefined;
    if (value === undefined || value === null) return [{ path, text: 'required field missing' }];
    const expected = path === 'snooze' || path === 'concurrency' ? 'int' : issue.expected;
    return [{ path, text: expectedText[expected] ?? `expected a ${expected}` }];
  }
  if (issue.code === 'invalid_value')
    return [{ path, text: `expected one of: ${issue.values.map(String).join(', ')}` }];
  if (issue.code === 'invalid_key') return [{ path, text: issue.issues[0]?.message ?? 'invalid key' }];
  return [{ path: path === '' ? '@entity' : path, text: issue.message }];
}
