const isUpper = (c: number): boolean => c >= 0x41 && c <= 0x5a;
const isLower = (c: number): boolean => c >= 0x61 && c <= 0x7a;
const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;
const isAlnum = (c: number): boolean => isUpper(c) || isLower(c) || isDigit(c);

const classes: Readonly<Record<string, (c: number) => boolean>> = {
  a: (c) => isUpper(c) || isLower(c),
  c: (c) => c < 0x20 || c === 0x7f,
  d: isDigit,
  g: (c) => c > 0x20 && c < 0x7f,
  l: isLower,
  p: (c) => c > 0x20 && c < 0x7f && !isAlnum(c),
  s: (c) => c === 0x20 || (c >= 9 && c <= 13),
  u: isUpper,
  w: isAlnum,
  x: (c) => isDigit(c) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66),
  z: (c) => c === 0,
};

/** Which of the 256 bytes belong to a set. */
export type ByteSet = Uint8Array;

const tables = new Map<number, ByteSet>();

const tableOf = (test: (byte: number) => boolean): ByteSet =>
  Uint8Array.from({ length: 256 }, (_, byte) => Number(test(byte)));

/** The bytes of `%` and a letter; of anything but a class's letter, that byte. */
export function classSet(letter: number): ByteSet {
  let table = tables.get(letter);
  if (table === undefined) {
    const test = isUpper(letter) || isLower(letter) ? classes[String.fromCharCode(letter | 0x20)] : undefined;
    if (test === undefined) table = tableOf((byte) => byte === letter);
    else table = tableOf((byte) => (isUpper(letter) ? !test(byte) : test(byte)));
    tables.set(letter, table);
  }
  return table;
}

export const everyByte: ByteSet = new Uint8Array(256).fill(1);

/** The bytes of a set from the byte after `[` to the one before its `]`. */
export function bracketSet(pattern: Uint8Array, from: number, to: number): ByteSet {
  const isNegated = pattern[from] === 0x5e;
  const table = new Uint8Array(256);
  for (let p = isNegated ? from + 1 : from; p < to; p++) {
    const c = pattern[p] ?? 0;
    if (c === 0x25 && p + 1 < to) {
      p += 1;
      classSet(pattern[p] ?? 0).forEach((belongs, byte) => (table[byte] = (table[byte] ?? 0) | belongs));
    } else if (pattern[p + 1] === 0x2d && p + 2 < to) {
      p += 2;
      table.fill(1, c, (pattern[p] ?? 0) + 1);
    } else table[c] = 1;
  }
  return isNegated ? table.map((belongs) => 1 - belongs) : table;
}
