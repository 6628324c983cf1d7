/** A character of a secret with the ways in which a text may write it. */
export interface Spelling {
  /** As it is, read as UTF-8, or read byte by byte. */
  readonly plain: readonly string[];
  /** In lower case: `%c3%a9`, `\u00e9`, `\"`, `\n`. */
  readonly escaped: readonly string[];
  readonly codePoint: number;
}

const jsonNames: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const entityNames: Readonly<Record<string, number>> = {
  amp: 38,
  lt: 60,
  gt: 62,
  quot: 34,
  apos: 39,
  nbsp: 32,
};
const entity = /&(?:#0*(\d{1,7})|#x0*([0-9a-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));?/iy;
const halfEscape =
  /^(?:\\+(?:u\{?[0-9a-f]{0,5}|x[0-9a-f]?)?|(?:%[0-9a-f]{2}){0,3}%[0-9a-f]?|(?:%[0-9a-f]{2}){1,3}|&#?[0-9a-z]{0,8}|\uFFFD+)$/i;

export function spellingsOf(secret: string): Spelling[] {
  return [...secret].map((character) => {
    const bytes = Buffer.from(character, 'utf8');
    const codePoint = character.codePointAt(0) ?? 0;
    const units = Array.from(
      { length: character.length },
      (_, at) => `\\u${hex(character.charCodeAt(at), 4)}`,
    );
    return {
      plain: [...new Set([character, bytes.toString('latin1'), ...(character === ' ' ? ['+'] : [])])],
      escaped: [
        Array.from(bytes, (byte) => `%${hex(byte, 2)}`).join(''),
        units.join(''),
        `\\u{${codePoint.toString(16)}}`,
        ...(codePoint < 256 ? [`\\x${hex(codePoint, 2)}`] : []),
        ...(codePoint < 65_536 ? [`%u${hex(codePoint, 4)}`] : []),
        jsonNames[character] ?? `\\${character.toLowerCase()}`,
      ],
      codePoint,
    };
  });
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** Where the character may end that begins at a place of the text; empty when it is another one. */
export function endsOf(text: string, at: number, { plain, escaped, codePoint }: Spelling): number[] {
  const ends = plain.filter((one) => text.startsWith(one, at)).map((one) => at + one.length);
  const first = text[at];
  if (first === '%' || first === '\\') {
    for (const one of escaped)
      if (one[0] === first && text.slice(at, at + one.length).toLowerCase() === one)
        ends.push(at + one.length);
  } else if (first === '&') {
    const found = entityAt(text, at);
    if (found?.value === codePoint) ends.push(at + found.length);
  }
  return ends;
}

/** The value of the escape that begins here, as the number of a character or a byte. NaN if no escape begins here. */
export function escapedAt(text: string, at: number): number {
  const next = text[at + 1] ?? '';
  switch (text[at]) {
    case '%':
      if (next === 'u') return Number.parseInt(text.slice(at + 2, at + 6), 16);
      return Number.parseInt(text.slice(at + 1, at + 3), 16);
    case '\\':
      if (next === 'u') return Number.parseInt(text.slice(at + 2, at + 6).replace('{', ''), 16);
      if (next === 'x') return Number.parseInt(text.slice(at + 2, at + 4), 16);
      return next.charCodeAt(0);
    case '&':
      return entityAt(text, at)?.value ?? Number.NaN;
    default:
      return Number.NaN;
  }
}

function entityAt(text: string, at: number): { value: number | undefined; length: number } | null {
  entity.lastIndex = at;
  const found = entity.exec(text);
  if (found === null) return null;
  const [whole, decimal, sixteen, name] = found;
  const number = decimal === undefined ? Number.parseInt(sixteen ?? '', 16) : Number(decimal);
  return { value: name === undefined ? number : entityNames[name.toLowerCase()], length: whole.length };
}

/** Whether the text ends here, or within an escape that begins here. */
export const isCutAt = (text: string, at: number): boolean =>
  at >= text.length || (text.length - at <= 14 && halfEscape.test(text.slice(at)));
