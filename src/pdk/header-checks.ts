import { setOwn } from '../base/set-own.ts';
import type { CheckContext } from './refusals.ts';
import { isPlainObject } from './json-values.ts';
import { argumentRefusal } from './refusals.ts';

const allowed = 'a string, a number, a boolean or an array of strings';

/**
 * A header's value by Kong's rules (3.9: string, number, boolean, or an array of strings), as text: over ProtoBuf:1
 * Kong would read `false` as nil and answer with a 500.
 */
export function checkHeaderValue(value: unknown, { row, argument }: CheckContext): string | string[] {
  return headerValue(value, (given) => argumentRefusal(row, argument.name, given, allowed));
}

/** An object of headers, each value by the same rules. */
export function checkHeaders(
  value: unknown,
  { row, argument }: CheckContext,
): Record<string, string | string[]> {
  if (!isPlainObject(value)) {
    throw argumentRefusal(row, argument.name, value, 'an object of header names and values');
  }
  const out: Record<string, string | string[]> = {};
  for (const [name, given] of Object.entries(value)) {
    if (name === '') throw argumentRefusal(row, `a name in ${argument.name}`, name, 'not empty');
    if (given === undefined) continue;
    const where = `${argument.name}[${JSON.stringify(name)}]`;
    const sent = headerValue(given, (wrong) => argumentRefusal(row, where, wrong, allowed));
    if (Array.isArray(sent) && name.toLowerCase() === 'host' && row.name.startsWith('kong.service.')) {
      throw argumentRefusal(row, where, given, 'a single value');
    }
    setOwn(out, name, sent);
  }
  return out;
}

function headerValue(value: unknown, refusal: (given: unknown) => Error): string | string[] {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
    return String(value);
  if (!Array.isArray(value)) throw refusal(value);
  const wrong = value.find((item) => typeof item !== 'string') as unknown;
  if (wrong !== undefined || value.includes(undefined)) throw refusal(wrong);
  return value as string[];
}
