import { setOwn } from '../base/set-own.ts';
import type { CheckContext } from './refusals.ts';
import { isPlainObject } from './json-values.ts';
import { argumentRefusal } from './refusals.ts';

type Sent = string | true;

/**
 * Query arguments by the rules of ngx.encode_args (Kong 3.9): strings, numbers, booleans or arrays of them. Numbers
 * travel as text and `false`, which makes no argument, does not travel at all.
 */
export function checkQuery(value: unknown, { row, argument }: CheckContext): Record<string, Sent | Sent[]> {
  if (!isPlainObject(value))
    throw argumentRefusal(row, argument.name, value, 'an object of names and values');
  const out: Record<string, Sent | Sent[]> = {};
  for (const [name, given] of Object.entries(value)) {
    const where = `${argument.name}[${JSON.stringify(name)}]`;
    const sent = Array.isArray(given)
      ? given.flatMap((item: unknown) => one(item, () => argumentRefusal(row, where, item, itemAllowed)))
      : one(given, () => argumentRefusal(row, where, given, allowed))[0];
    if (sent === undefined || (Array.isArray(sent) && sent.length === 0)) continue;
    setOwn(out, name, sent);
  }
  return out;
}

const itemAllowed = 'a string, a number or a boolean';
const allowed = `${itemAllowed}, or an array of them`;

function one(value: unknown, refusal: () => Error): Sent[] {
  if (typeof value === 'string' || value === true) return [value];
  if (value === false || value === undefined) return [];
  if (typeof value === 'number' && Number.isFinite(value)) return [String(value)];
  throw refusal();
}
