import { toPlain } from '../model/exact-json.ts';
import type { FilterCondition, FilterScalar, HookFilter } from '../model/hook.ts';
import { valueAt } from '../model/payload.ts';
import type { Fields } from '../model/payload.ts';

export type CompiledFilter = (payload: Fields) => boolean;

/** Makes a test of payloads out of a hook's filter. A path that leads nowhere is an absent value, like null. */
export function compileFilter(filter: HookFilter | undefined): CompiledFilter | null {
  const tests = Object.entries(filter ?? {}).map(([path, wanted]) => {
    const steps = path.split('.');
    const condition: FilterCondition =
      typeof wanted === 'object' && wanted !== null ? wanted : { eq: wanted };
    return (payload: Fields) => holds(toPlain(valueAt(payload, steps)), condition);
  });
  return tests.length === 0 ? null : (payload) => tests.every((test) => test(payload));
}

function holds(value: unknown, condition: FilterCondition): boolean {
  const { eq, ne, in: any, not_in: none, gt, gte, lt, lte, exists } = condition;
  if (eq !== undefined && !same(value, eq)) return false;
  if (ne !== undefined && same(value, ne)) return false;
  if (any !== undefined && !any.some((one) => same(value, one))) return false;
  if (none?.some((one) => same(value, one)) === true) return false;
  if (exists !== undefined && exists !== (value !== undefined && value !== null)) return false;
  if (gt !== undefined && !(typeof value === 'number' && value > gt)) return false;
  if (gte !== undefined && !(typeof value === 'number' && value >= gte)) return false;
  if (lt !== undefined && !(typeof value === 'number' && value < lt)) return false;
  if (lte !== undefined && !(typeof value === 'number' && value <= lte)) return false;
  return textHolds(value, condition);
}

function textHolds(
  value: unknown,
  { starts_with: start, ends_with: end, contains }: FilterCondition,
): boolean {
  if (start !== undefined && !(typeof value === 'string' && value.startsWith(start))) return false;
  if (end !== undefined && !(typeof value === 'string' && value.endsWith(end))) return false;
  if (contains === undefined) return true;
  return typeof value === 'string'
    ? value.includes(contains)
    : Array.isArray(value) && value.includes(contains);
}

function same(value: unknown, wanted: FilterScalar): boolean {
  return (value ?? null) === wanted;
}
