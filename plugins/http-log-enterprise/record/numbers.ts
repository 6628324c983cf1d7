/**
 * Kong's http-log writes numbers with 14 significant digits, while the record that Kong gives to a plugin server has
 * 16 (both measured on Kong 3.9.3: `"balancer_start_ns":1.7952821331072e+18` and `1.795282099103067e+18`).
 * The longer form is shortened in the text of the record, so that records are byte for byte those of http-log.
 */
const significantDigits = 14;

/** A number with 15 digits or more as the value of an object's member. */
const longMember = /":-?\d[\d.]{14,}(?:[eE][+-]?\d+)?(?=[,}\]])/g;

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

/** The record with its numbers as http-log writes them. */
export function withKongNumbers(record: string): string {
  return record.replace(longMember, (member, at: number) => {
    // After a backslash the quote does not end a key: this is text inside a string.
    if (record.charCodeAt(at - 1) === 0x5c) return member;
    const digits = member.slice(2);
    const significant = digits
      .replace(/[eE].*$/, '')
      .replace(/^-?0*\.?0*/, '')
      .replace('.', '');
    return significant.length > significantDigits ? `":${formatNumber(Number(digits))}` : member;
  });
}
