import { KongTsError, messageOf } from '../../errors.ts';

/**
 * Compiles a route's regular expression (without `~`), anchored at the start. PCRE's `(?P<name>`, `\A`, `\z`, `\h` and a
 * leading `(?i)` become their JavaScript counterparts; possessive quantifiers and atomic groups have none.
 *
 * @throws KongTsError DECLARATIVE_INVALID when JavaScript does not understand the expression
 */
export function compilePattern(source: string, anchored = true): RegExp {
  let pattern = source;
  let flags = 's';
  const inline = /^\(\?([imsx]+)\)/.exec(pattern);
  if (inline !== null) {
    pattern = pattern.slice(inline[0].length);
    if (inline[1]?.includes('i') === true) flags += 'i';
    if (inline[1]?.includes('m') === true) flags += 'm';
  }
  pattern = pattern
    .replaceAll('(?P<', '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replaceAll('\\A', '^')
    .replace(/\\[zZ]/g, '$')
    .replaceAll('\\h', '[ \\t]');
  try {
    return new RegExp(anchored ? `^${pattern}` : pattern, flags);
  } catch (error) {
    throw new KongTsError(
      'DECLARATIVE_INVALID',
      `The regular expression "${source}" of a route cannot be used: ${messageOf(error)}.`,
      { cause: error, fix: 'The sandbox knows what PCRE and JavaScript have in common.' },
    );
  }
}
