/** A number that JavaScript cannot hold, as the digits that were sent. */
export class ExactNumber {
  readonly digits: string;
  constructor(digits: string) {
    this.digits = digits;
  }
}

/** JSON whose numbers keep their digits. A reviver costs time, so only texts with long numbers get one. */
export function parseJson(text: string): unknown {
  return /\d{16}|\d[eE][+-]?\d{3}/.test(text)
    ? (JSON.parse(text, keep) as unknown)
    : (JSON.parse(text) as unknown);
}

function keep(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return String(value) === context.source || !isLong(context.source)
    ? value
    : new ExactNumber(context.source);
}

/** Digits beyond a double's, or an exponent that it does not reach. */
const isLong = (source: string): boolean => {
  const digits = source
    .replace(/[eE].*$/, '')
    .replace(/\D/g, '')
    .replace(/^0+/, '');
  return digits.length > 15 || !Number.isFinite(Number(source));
};

/**
 * The same digits as text again.
 * @param indent of the first level; null: all in one line
 */
export function writeJson(value: unknown, indent: string | null = ''): string {
  if (value instanceof ExactNumber) return value.digits;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const inner = indent === null ? null : `${indent}  `;
  const colon = indent === null ? ':' : ': ';
  const members = Array.isArray(value)
    ? value.map((one) => writeJson(one, inner))
    : Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}${colon}${writeJson(one, inner)}`);
  const [open = '', close = ''] = Array.isArray(value) ? '[]' : '{}';
  if (members.length === 0 || inner === null) return `${open}${members.join(',')}${close}`;
  return `${open}\n${inner}${members.join(`,\n${inner}`)}\n${indent ?? ''}${close}`;
}
