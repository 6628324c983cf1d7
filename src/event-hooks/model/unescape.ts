/** A text with where each of its characters was written in another one. */
export interface Decoded {
  readonly text: string;
  /** Per character where it begins, and where the last one ends; null: as it is here. */
  readonly from: readonly number[] | null;
}

const controls: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };
const names: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const sixteen = (digits = ''): string => String.fromCharCode(Number.parseInt(digits, 16));

/** Escapes by kind: JSON, URLs and forms (byte by byte), HTML. */
const kinds: readonly { mark: string; escape: RegExp; read: (match: RegExpExecArray) => string }[] = [
  {
    mark: '\\',
    escape: /\\(?:u([0-9a-f]{4})|([^u]))/gi,
    read: ([, unit, single = '']) => (unit === undefined ? (controls[single] ?? single) : sixteen(unit)),
  },
  { mark: '%', escape: /%([0-9a-f]{2})/gi, read: ([, byte]) => sixteen(byte) },
  {
    mark: '&',
    escape: /&(?:#0*(\d{1,5})|#x0*([0-9a-f]{1,4})|(amp|lt|gt|quot|apos));?/gi,
    read: ([, decimal, digits, name]) =>
      name !== undefined
        ? (names[name.toLowerCase()] ?? '')
        : decimal === undefined
          ? sixteen(digits)
          : String.fromCharCode(Number(decimal)),
  },
];

/** The text with one level of escapes of one kind read, for each kind that it has; each in steps linear in its length. */
export function unescaped({ text, from }: Decoded): Decoded[] {
  return kinds
    .filter(({ mark }) => text.includes(mark))
    .map(({ escape, read }) => {
      const place = (index: number): number => (from === null ? index : (from[index] ?? 0));
      const places: number[] = [];
      const parts: string[] = [];
      let at = 0;
      for (const match of text.matchAll(escape)) {
        parts.push(text.slice(at, match.index), read(match));
        for (; at < match.index; at += 1) places.push(place(at));
        places.push(place(at));
        at = match.index + match[0].length;
      }
      parts.push(text.slice(at));
      for (; at <= text.length; at += 1) places.push(place(at));
      return { text: parts.join(''), from: places };
    })
    .filter((one) => one.text.length < text.length);
}
