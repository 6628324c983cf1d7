import { isDeepStrictEqual } from 'node:util';
import { atTime, times } from './other-time.ts';
import { KongTsError } from '../../base/errors.ts';
import { normalise } from './normalise.ts';
import type { Unwrapped, ZodNode, ZodResult } from './zod-def.ts';

/** The value of a field that the configuration lacks: for zod, and so that Kong does the same. */

/** zod's result for a value. Null if it cannot tell (a transform that waits, or throws). */
function tried(start: ZodNode, value: unknown): ZodResult | null {
  try {
    return start.safeParse?.(value) ?? null;
  } catch {
    return null;
  }
}

/** The value that an object without the key gets, as zod's objects decide it. Null if that cannot be told. */
function whenAbsent(start: ZodNode): ZodResult | null {
  const { optin, optout } = start._zod;
  if (optin === undefined) return { success: false, error: { issues: [] } };
  const nothing = { success: true, data: undefined } as const;
  if (optin === 'optional' && optout === 'optional') return nothing;
  const result = tried(start, undefined);
  return result?.success === false && optout === 'optional' ? nothing : result;
}

/** Whether zod takes an object without the field. */
export function mayBeAbsent(start: ZodNode): boolean {
  return whenAbsent(start)?.success ?? true;
}

/**
 * The default that Kong shall fill in. Undefined if there is none, or if it is made anew each time: then zod fills it
 * in.
 *
 * Kong's default stands in for what a user would write: it goes through the field's checks and transforms like any
 * other value, while zod's `.default()` is what comes out of them.
 *
 * @throws KongTsError PLUGIN_SCHEMA_UNSUPPORTED if the default is not JSON, or comes out as something else
 */
export function presetOf(start: ZodNode, unwrapped: Unwrapped, path: string): unknown {
  const absent = whenAbsent(start);
  const preset = unwrapped.default ?? replacement(unwrapped, absent);
  if (preset === undefined || preset.value === null || preset.value === undefined) return undefined;
  if (absent !== null && (!absent.success || absent.data === undefined)) return undefined;
  if (isMadeAnew(start, absent)) return undefined;
  const value = jsonDefault(preset.value, path);
  const filledIn = tried(start, normalise(value, start));
  if (absent === null || filledIn === null) return value;
  if (filledIn.success && isDeepStrictEqual(filledIn.data, absent.data)) return value;
  const problem = filledIn.success
    ? 'is changed by the field when it is filled in'
    : `is refused by the field itself (${filledIn.error.issues[0]?.message ?? 'no reason given'})`;
  throw new KongTsError(
    'PLUGIN_SCHEMA_UNSUPPORTED',
    `${path}: its default ${JSON.stringify(value)} ${problem}.`,
    {
      fix: 'Kong fills a default in as if it had been configured: give one that satisfies the field, before transforms, or use .prefault().',
    },
  );
}

/**
 * Kong sends null for an absent field, and a nullable field takes it as it is. So the replacement of an absent value
 * has to come first.
 */
function replacement(unwrapped: Unwrapped, absent: ZodResult | null): { value: unknown } | undefined {
  const { caught, nullable } = unwrapped;
  return caught && nullable && absent?.success === true ? { value: absent.data } : undefined;
}

/** A default such as `() => randomUUID()`, or one made of the time, differs for each configuration. */
function isMadeAnew(start: ZodNode, first: ZodResult | null): boolean {
  if (first?.success !== true) return false;
  return times.some((shift) => {
    const again = atTime(shift, () => whenAbsent(start));
    return again?.success === true && !isDeepStrictEqual(first.data, again.data);
  });
}

/** A default as Kong takes it: plain JSON. */
export function jsonDefault(value: unknown, path: string): unknown {
  if (value instanceof Set) return [...value].map((item) => jsonDefault(item, path));
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [String(key), jsonDefault(item, path)]));
  }
  if (Array.isArray(value)) return value.map((item) => jsonDefault(item, path));
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value;
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => [key, jsonDefault(item, path)]),
    );
  }
  throw new KongTsError('PLUGIN_SCHEMA_UNSUPPORTED', `${path}: its default is not a JSON value.`, {
    fix: 'Use a string, number, boolean, array or plain object as default.',
  });
}
