/** A number kept as it was written, since a JavaScript number cannot hold it. */
interface RawNumber {
  readonly rawJSON: string;
}
/** ES2026 "JSON.parse source text access", in every Node that is supported; TypeScript does not declare it yet. */
const json = JSON as typeof JSON & {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
};

/** A run of digits that may be beyond 2^53, or an exponent that may be beyond every double. */
const mayBeInexact = /\d{16}|[eE]\+?\d{3}/;

/**
 * Parses JSON so that `JSON.stringify` gives every number back: integers beyond 2^53 and numbers beyond the range of a
 * double stay texts of their own (see {@link isRawNumber}).
 * @throws SyntaxError
 */
export function parseExact(text: string): unknown {
  if (!mayBeInexact.test(text)) return JSON.parse(text);
  const keep = (_key: string, value: unknown, context: { source: string }): unknown => {
    if (typeof value !== 'number') return value;
    const held = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
    return held ? value : json.rawJSON(context.source);
  };
  return JSON.parse(text, keep as (key: string, value: unknown) => unknown);
}

/** Whether a value of {@link parseExact} is a number that stayed text. */
export const isRawNumber = (value: unknown): value is RawNumber => json.isRawJSON(value);

/** The nearest JavaScript value, for comparing. */
export const toPlain = (value: unknown): unknown => (isRawNumber(value) ? Number(value.rawJSON) : value);

/** Whether arrays and objects of a parsed JSON value lie deeper within each other than `max`. */
export function isNestedDeeperThan(value: unknown, max: number): boolean {
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return false;
  return max === 0 || Object.values(value).some((member) => isNestedDeeperThan(member, max - 1));
}
