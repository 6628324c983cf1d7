/** Where the escape sequence that starts at a backslash ends, -1 for one that LuaJIT refuses. */
export function escapeEnd(source: string, at: number): number {
  const letter = source.charAt(at + 1);
  if (/[abfnrtv\\"']/.test(letter)) return at + 2;
  if (letter === 'x') return /^[0-9a-f]{2}$/i.test(source.slice(at + 2, at + 4)) ? at + 4 : -1;
  if (letter === 'u') return codePointEnd(source, at + 2);
  const digits = /^\d{1,3}/.exec(source.slice(at + 1, at + 4))?.[0];
  if (digits === undefined || Number(digits) > 255) return -1;
  return at + 1 + digits.length;
}

/** Where `{...}` of a code point ends; -1 where it is not one, as surrogates are not. */
function codePointEnd(source: string, at: number): number {
  const digits = /^\{0*([0-9a-f]{1,6})\}/i.exec(source.slice(at, at + 40));
  if (digits === null) return -1;
  const point = Number.parseInt(digits[1] ?? '', 16);
  if (point >= 0x110000 || (point >= 0xd800 && point < 0xe000)) return -1;
  return at + digits[0].length;
}
