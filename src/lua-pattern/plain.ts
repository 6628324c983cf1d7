/** The most comparisons of a search that is left to the simple way. */
const simpleSearch = 1_000_000;

/**
 * Where bytes stand in others, at or after a position; -1 when they do not. Linear in the length of both: a text such
 * as `aaaa...` searched for `aaa...b` costs no more than any other (Knuth, Morris and Pratt).
 */
export function findPlain(text: Uint8Array, wanted: Uint8Array, init: number): number {
  if (wanted.length === 0) return init;
  if ((text.length - init) * wanted.length <= simpleSearch) {
    return Buffer.from(text.buffer, text.byteOffset, text.length).indexOf(wanted, init);
  }
  const borders = bordersOf(wanted);
  let matched = 0;
  for (let i = init; i < text.length; i++) {
    while (matched > 0 && text[i] !== wanted[matched]) matched = borders[matched - 1] ?? 0;
    if (text[i] === wanted[matched]) matched += 1;
    if (matched === wanted.length) return i - matched + 1;
  }
  return -1;
}

/** For each beginning of the bytes: how long the longest shorter beginning is that it ends with. */
function bordersOf(wanted: Uint8Array): Uint32Array {
  const borders = new Uint32Array(wanted.length);
  let length = 0;
  for (let i = 1; i < wanted.length; i++) {
    while (length > 0 && wanted[i] !== wanted[length]) length = borders[length - 1] ?? 0;
    if (wanted[i] === wanted[length]) length += 1;
    borders[i] = length;
  }
  return borders;
}
