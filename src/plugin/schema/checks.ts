import { luaLiteral, luaPattern } from './lua-pattern.ts';
import { checksOf } from './zod-def.ts';
import type { ZodCheck, ZodDef } from './zod-def.ts';

export type Attributes = Record<string, unknown>;

const greatest = Number.MAX_VALUE;

/** Ranges of zod's fixed-width formats. Safe integers have none: Kong's numbers are doubles anyway. */
const formatRanges: Record<string, readonly [number, number]> = {
  int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
};

interface Bound {
  value: number;
  inclusive: boolean;
}

/** Type and range of a number. Checks that Kong cannot express (multipleOf, refinements) stay with zod. */
export function numberAttributes(def: ZodDef): Attributes {
  let integer = false;
  let low: Bound | null = null;
  let high: Bound | null = null;
  for (const check of beforeRewrite(checksOf(def))) {
    if (check.check === 'number_format') {
      integer ||= /int/.test(check.format ?? '');
      const range = formatRanges[check.format ?? ''];
      if (range !== undefined) {
        low = tighter(low, { value: range[0], inclusive: true }, 1);
        high = tighter(high, { value: range[1], inclusive: true }, -1);
      }
    }
    if (check.check === 'multiple_of' && check.value === 1) integer = true;
    if (typeof check.value !== 'number' || !Number.isFinite(check.value)) continue;
    const bound = { value: check.value, inclusive: check.inclusive === true };
    if (check.check === 'greater_than') low = tighter(low, bound, 1);
    if (check.check === 'less_than') high = tighter(high, bound, -1);
  }
  return { type: integer ? 'integer' : 'number', ...rangeAttributes(low, high, integer) };
}

/** The bound that excludes more; `direction` 1 for lower bounds, -1 for upper ones. */
function tighter(old: Bound | null, bound: Bound, direction: 1 | -1): Bound {
  if (old === null) return bound;
  if (old.value === bound.value) return old.inclusive ? bound : old;
  return (bound.value - old.value) * direction > 0 ? bound : old;
}

function rangeAttributes(low: Bound | null, high: Bound | null, integer: boolean): Attributes {
  if (integer) {
    const from = low === null ? null : low.inclusive ? Math.ceil(low.value) : Math.floor(low.value) + 1;
    const to = high === null ? null : high.inclusive ? Math.floor(high.value) : Math.ceil(high.value) - 1;
    if (from !== null && to !== null) return { between: [from, to] };
    if (from !== null) return { gt: from - 1 };
    if (to !== null) return { between: [-greatest, to], err: `value must be at most ${to}` };
    return {};
  }
  if (low === null && high === null) return {};
  if (low !== null && !low.inclusive && high === null) return { gt: low.value };
  const attributes: Attributes = { between: [low?.value ?? -greatest, high?.value ?? greatest] };
  if (low !== null && !low.inclusive) attributes['gt'] = low.value;
  if (high !== null && !high.inclusive) attributes['ne'] = high.value;
  // Kong's own text names both bounds. That is of no use if one is missing or not allowed itself.
  const sides = [
    ...(low === null ? [] : [`${low.inclusive ? 'at least' : 'greater than'} ${low.value}`]),
    ...(high === null ? [] : [`${high.inclusive ? 'at most' : 'less than'} ${high.value}`]),
  ];
  if (low?.inclusive !== true || high?.inclusive !== true) {
    attributes['err'] = `value must be ${sides.join(' and ')}`;
  }
  return attributes;
}

/** Lengths and patterns of a string. Kong counts bytes where zod counts UTF-16 units. */
export function stringAttributes(def: ZodDef): Attributes {
  const lengths = new Lengths();
  const attributes: Attributes = { type: 'string' };
  const patterns: string[] = [];
  for (const check of beforeRewrite(checksOf(def))) {
    lengths.add(check);
    if (check.check !== 'string_format') continue;
    if (
      check.format === 'starts_with' &&
      check.prefix !== undefined &&
      check.prefix !== '' &&
      attributes['starts_with'] === undefined
    ) {
      attributes['starts_with'] = check.prefix;
    } else if (check.format === 'uuid' || check.format === 'guid') {
      attributes['uuid'] = true;
    } else {
      const pattern = stringPattern(check);
      // Every string matches an empty pattern, which Kong refuses to have.
      if (pattern !== null && pattern !== '') patterns.push(pattern);
    }
  }
  // Kong refuses the empty string unless told otherwise; zod takes it.
  Object.assign(attributes, lengths.attributes(0));
  if (patterns.length === 1) attributes['match'] = patterns[0];
  if (patterns.length > 1) {
    attributes['match_all'] = patterns.map((pattern) => ({
      pattern,
      err: `invalid value: must match ${pattern}`,
    }));
  }
  return attributes;
}

function stringPattern(check: ZodCheck): string | null {
  if (check.format === 'starts_with') return check.prefix ? `^${luaLiteral(check.prefix)}` : null;
  if (check.format === 'ends_with') return `${luaLiteral(check.suffix ?? '')}$`;
  if (check.format === 'includes') {
    return check.position === undefined ? luaLiteral(check.includes ?? '') : null;
  }
  return check.pattern instanceof RegExp ? luaPattern(check.pattern) : null;
}

/** Lengths of an array, set or map. */
export function lengthAttributes(def: ZodDef): Attributes {
  const lengths = new Lengths();
  for (const check of beforeRewrite(checksOf(def))) lengths.add(check);
  return lengths.attributes(null);
}

const isLength = (value: number | undefined): value is number =>
  value !== undefined && Number.isFinite(value);

class Lengths {
  #min: number | null = null;
  #max: number | null = null;

  add(check: ZodCheck): void {
    const min = check.minimum ?? check.length ?? check.size;
    const max = check.maximum ?? check.length ?? check.size;
    if (/^(min_length|min_size|length_equals|size_equals)$/.test(check.check) && isLength(min)) {
      this.#min = Math.max(this.#min ?? 0, Math.ceil(min));
    }
    // An infinite length is not a bound.
    if (/^(max_length|max_size|length_equals|size_equals)$/.test(check.check) && isLength(max)) {
      this.#max = Math.min(this.#max ?? Infinity, Math.floor(max));
    }
  }

  attributes(leastMin: number | null): Attributes {
    if (this.#min !== null && this.#min === this.#max) {
      // len_min as well: Kong sets it to 1 for a string without one.
      return { len_eq: this.#min, ...(this.#min === 0 && leastMin !== null ? { len_min: 0 } : {}) };
    }
    const min = this.#min ?? leastMin;
    return {
      ...(min === null ? {} : { len_min: min }),
      ...(this.#max === null ? {} : { len_max: this.#max }),
    };
  }
}

/** Checks up to the first that changes the value (trim, toLowerCase): later ones see something that Kong does not. */
function beforeRewrite(checks: readonly ZodCheck[]): readonly ZodCheck[] {
  const end = checks.findIndex((check) => check.check === 'overwrite');
  return end === -1 ? checks : checks.slice(0, end);
}
