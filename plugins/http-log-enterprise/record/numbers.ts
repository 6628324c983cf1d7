import type { RawText } from './text.ts';

/**
 * Kong's http-log writes numbers with 14 significant digits, while the record that Kong gives to a plugin server has
 * 16 (both measured on Kong 3.9.3: `"balancer_start_ns":1.7952821331072e+18` and `1.795282099103067e+18`).
 * The longer form is shortened in the text of the record, so that records are byte for byte those of http-log.
 */
const significantDigits = 14;

/** What may be a number with 15 digits or more; a string can hold the same characters. */
const longNumber = /[:,[]-?\d[\d.]{14,}(?:[eE][+-]?\d+)?(?=[,}\]])/g;

/** C's `%.14g`. */
export function formatNumber(value: number): string {
  const [mantissa = '0', exponentText = '0'] = value.toExponential(significantDigits - 1).split('e');
  const exponent = Number(exponentText);
  const trim = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (exponent < -4 || exponent >= significantDigits) {
    const sign = exponent < 0 ? '-' : '+';
    return `${trim(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return trim(value.toFixed(Math.max(0, significantDigits - 1 - exponent)));
}

/** Whether the position is inside a string: an odd number of quotes that are not escaped stand before it. */
function isInString(record: RawText, from: number, at: number, inside: boolean): boolean {
  let within = inside;
  for (
    let quote = record.indexOf('"', from);
    quote >= 0 && quote < at;
    quote = record.indexOf('"', quote + 1)
  ) {
    let slashes = 0;
    while (record.charCodeAt(quote - 1 - slashes) === 0x5c) slashes += 1;
    if (!within || slashes % 2 === 0) within = !within;
  }
  return within;
}

function shortened(digits: string): string | null {
  const significant = digits
    .replace(/[eE].*$/, '')
    .replace(/^-?0*\.?0*/, '')
    .replace('.', '');
  return significant.length > significantDigits ? formatNumber(Number(digits)) : null;
}

/**
 * The record with its numbers as http-log writes them, in the pieces that it falls into: what stays is not copied. The
 * text is searched for long numbers only; nothing is parsed.
 */
export function numberPieces(record: RawText): RawText[] {
  const pieces: RawText[] = [];
  let done = 0;
  let looked = 0;
  let inside = false;
  longNumber.lastIndex = 0;
  for (let match = longNumber.exec(record); match !== null; match = longNumber.exec(record)) {
    const at = match.index;
    // The quote before a colon ends a key, unless it is escaped: then, as after comma or bracket, count the quotes.
    if (match[0].charCodeAt(0) !== 0x3a || !endsKey(record, at - 1)) {
      inside = isInString(record, looked, at, inside);
      looked = at;
      if (inside) continue;
    }
    const short = shortened(match[0].slice(1));
    if (short === null) continue;
    pieces.push(record.slice(done, at + 1), short);
    done = at + match[0].length;
  }
  if (done === 0) return [record];
  pieces.push(record.slice(done));
  return pieces;
}

/** A quote that ends a key is not escaped; `":` inside a string is written `\":`. */
const endsKey = (record: RawText, at: number): boolean =>
  record.charCodeAt(at) === 0x22 && record.charCodeAt(at - 1) !== 0x5c;

/** The record with its numbers as http-log writes them. */
export const withKongNumbers = (record: RawText): RawText => numberPieces(record).join('');
