import { isUuid } from '../../base/uuid.ts';
import { luaMatches } from './lua-pattern.ts';
import { luaInteger, luaToString, quotedList } from './lua-text.ts';
import { text } from './messages.ts';
import type { FieldSchema } from './types.ts';
import { isObject } from './values.ts';

/** Answers Kong's error text, or undefined when the value is fine. */
type Validator = (value: unknown, argument: unknown, field: FieldSchema) => string | undefined;

interface PatternError {
  pattern: string;
  err: string;
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : 0;
}

const length =
  (error: (length: string) => string, fine: (length: number, wanted: number) => boolean): Validator =>
  (value, wanted) =>
    fine(lengthOf(value), Number(wanted)) ? undefined : error(luaInteger(wanted));

const joined = (options: unknown): string => (options as unknown[]).map(luaToString).join(', ');

const matches = (value: unknown, pattern: string): boolean =>
  luaMatches(typeof value === 'string' ? value : luaToString(value), pattern);

/** PCRE2's words for JavaScript's errors, if both find the same error. */
const pcreWords: Readonly<Record<string, string>> = {
  'Unterminated group': 'missing closing parenthesis',
  'Unterminated character class': 'missing terminating ] for character class',
  '\\ at end of pattern': '\\ at end of pattern',
  'Nothing to repeat': 'quantifier does not follow a repeatable item',
  "Unmatched ')'": 'unmatched closing parenthesis',
  'Range out of order in character class': 'range out of order in character class',
  'numbers out of order in {} quantifier': 'numbers out of order in {} quantifier',
  'Duplicate capture group name': 'two named subpatterns have the same name (PCRE2_DUPNAMES not set)',
};

/** Null if PCRE takes the text as a regular expression, otherwise the error. */
export function regexError(source: string): string | null {
  const translated = source
    .replace(/^\(\*[A-Z_]+\)/, '')
    .replace(/\\Q.*?(\\E|$)/gs, '')
    .replace(/\(\?#[^)]*\)/g, '')
    .replace(/\(\?(P|(?='))[<'](\w+)[>']/g, '(?<$2>')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replace(/\(\?(R|[+-]?\d+|&\w+|P>\w+)\)/g, '(?:)')
    .replace(/\(\?\^?[imsxnUJ]*(-[imsxnUJ]*)?\)/g, '')
    .replace(/\(\?(\^?[imsxnUJ]*(-[imsxnUJ]*)?:|[>|])/g, '(?:')
    .replace(/([*+?}])\+/g, '$1')
    .replace(/\\A/g, '^')
    .replace(/\\[zZ]/g, '$');
  try {
    new RegExp(translated);
    return null;
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message.replace(/^.*: /s, '') : 'invalid';
    return `pcre2_compile() failed: ${pcreWords[why] ?? why.toLowerCase()} in "${source}"`;
  }
}

function exclusiveSubsets(value: unknown, subsets: unknown): string | undefined {
  const found: unknown[][] = [];
  for (const item of Array.isArray(value) ? (value as unknown[]) : []) {
    const subset = (subsets as unknown[][]).findLast((candidate) => candidate.includes(item));
    if (subset !== undefined && !found.includes(subset)) found.push(subset);
  }
  return found.length <= 1 ? undefined : text.exclusiveSets(quotedList(found));
}

/** In the order in which Kong runs them; the first that fails gives the field's error. */
const validators: readonly (readonly [name: string, validator: Validator])[] = [
  ['eq', (value, wanted) => (value === wanted ? undefined : text.eq(luaToString(wanted)))],
  ['ne', (value, wanted) => (value !== wanted ? undefined : text.ne(luaToString(value)))],
  [
    'not_one_of',
    (value, options) => ((options as unknown[]).includes(value) ? text.notOneOf(joined(options)) : undefined),
  ],
  [
    'one_of',
    (value, options) => ((options as unknown[]).includes(value) ? undefined : text.oneOf(joined(options))),
  ],
  ['gt', (value, limit) => (Number(value) > Number(limit) ? undefined : text.gt(luaToString(limit)))],
  ['timestamp', (value) => (Number(value) > 0 ? undefined : text.timestamp)],
  ['uuid', (value) => (isUuid(value) ? undefined : text.uuid)],
  [
    'is_regex',
    (value) => {
      const source = luaToString(value);
      return regexError(source) === null ? undefined : text.isRegex(source);
    },
  ],
  [
    'between',
    (value, limits) => {
      const [low, high] = limits as [number, number];
      return Number(value) >= low && Number(value) <= high
        ? undefined
        : text.between(luaInteger(low), luaInteger(high));
    },
  ],
  ['len_eq', length(text.lenEq, (size, wanted) => size === wanted)],
  ['len_min', length(text.lenMin, (size, wanted) => size >= wanted)],
  ['len_max', length(text.lenMax, (size, wanted) => size <= wanted)],
  [
    'starts_with',
    (value, prefix) =>
      luaToString(value).startsWith(String(prefix)) ? undefined : text.startsWith(String(prefix)),
  ],
  [
    'not_match',
    (value, pattern) => (matches(value, String(pattern)) ? text.invalid(luaToString(value)) : undefined),
  ],
  ['match_none', (value, list) => (list as PatternError[]).find((one) => matches(value, one.pattern))?.err],
  [
    'match',
    (value, pattern) => (matches(value, String(pattern)) ? undefined : text.invalid(luaToString(value))),
  ],
  ['match_all', (value, list) => (list as PatternError[]).find((one) => !matches(value, one.pattern))?.err],
  [
    'match_any',
    (value, argument) => {
      const { patterns, err } = argument as { patterns: string[]; err: string };
      return patterns.some((pattern) => matches(value, pattern)) ? undefined : err;
    },
  ],
  [
    'contains',
    (value, wanted) =>
      Array.isArray(value) && value.includes(wanted) ? undefined : text.contains(luaToString(wanted)),
  ],
  [
    'custom_validator',
    (value, validate) =>
      typeof validate === 'function' ? (validate as Validator)(value, null, { type: 'any' }) : undefined,
  ],
  ['mutually_exclusive_subsets', exclusiveSubsets],
];

/** The first error that the field's validators find in a value of the right type. */
export function runValidators(field: FieldSchema, value: unknown): string | undefined {
  for (const [name, validator] of validators) {
    let argument = field[name];
    // Empty strings are not accepted unless the schema says so.
    if (name === 'len_min' && argument === undefined && field.type === 'string') argument = 1;
    if (argument === undefined || argument === false) continue;
    const error = validator(value, argument, field);
    if (error !== undefined) return field.err ?? error;
  }
  return undefined;
}
