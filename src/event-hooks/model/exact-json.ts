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

/** Whether arrays and objects of a JSON text lie deeper within each other than `max`. The text need not be valid. */
export function isDeeperThan(text: string, max: number): boolean {
  // Shorter than so many opening brackets.
  if (text.length <= max) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 0x22: // a string
        at = endOfString(text, at);
        if (at === -1) return false;
        break;
      case 0x5b:
      case 0x7b:
        if (++depth > max) return true;
        break;
      case 0x5d:
      case 0x7d:
        depth -= 1;
        break;
    }
  }
  return false;
}

/** The position of the quote that ends a string, -1 where none does. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - slashes - 1) === 0x5c) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return -1;
}
