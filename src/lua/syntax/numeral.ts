/** What a text is to LuaJIT: a number, a number that Lua does not have (64 bit, imaginary), or not a numeral at all. */
export type Numeral = { readonly value: number } | 'cdata' | 'malformed';

const decimal = /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const hexadecimal = /^0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i;
const binary = /^0b[01]+$/i;

export function readNumeral(text: string): Numeral {
  const value = valueOf(text);
  if (value !== null) return { value };
  const integer = /^(.*?)u?ll$/i.exec(text)?.[1];
  if (integer !== undefined && !integer.includes('.') && valueOf(integer) !== null) return 'cdata';
  const imaginary = /^(.*)i$/i.exec(text)?.[1];
  return imaginary !== undefined && valueOf(imaginary) !== null ? 'cdata' : 'malformed';
}

function valueOf(text: string): number | null {
  if (decimal.test(text)) return Number(text);
  if (binary.test(text)) return Number(text.toLowerCase());
  const hex = hexadecimal.exec(text);
  if (hex === null) return null;
  const [, whole = '', fraction = '', power = '0'] = hex;
  if (whole === '' && fraction === '') return null;
  // A power may have a million digits. Beyond these bounds the result is always infinity or zero.
  const exponent = Math.max(-5000, Math.min(5000, Number(power)));
  return scaled(digitsOf(whole + fraction), exponent - 4 * fraction.length);
}

function digitsOf(digits: string): number {
  return digits.length <= 13 ? Number.parseInt(digits, 16) : Number(BigInt(`0x${digits}`));
}

function scaled(value: number, exponent: number): number {
  if (value === 0) return 0;
  const half = Math.trunc(exponent / 2);
  return value * 2 ** half * 2 ** (exponent - half);
}

/** A number as a numeral of Lua 5.4 that is a float there, as every number of LuaJIT is. */
export function writeNumeral(value: number): string {
  if (value === Infinity) return '1e999';
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
