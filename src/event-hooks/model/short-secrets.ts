/** A secret too short to be looked for everywhere, with the name of the header or field that holds it. */
export interface ShortSecret {
  readonly name: string;
  readonly value: string;
}

/** What may stand between a name and its value: `X-Key: a`, `"x-key":["a"]`, `x_key=%22a`, `X-Key&quot;: &quot;a`. */
const between = String.raw`(?:[\s"'\\:=>,;[({]|%(?:20|22|27|3[ad]|5[bc]|7b)|&(?:quot|apos|#\d{2}|#x\w{2});){1,12}`;

/** A text as a regular expression that matches nothing but it. */
const literal = (text: string): string =>
  text
    .replace(/[^\w\s]/gu, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`)
    .replace(/\s/g, '\\s');

/**
 * Masks values of one to three characters where they stand behind their name: a search for them alone would garble every
 * answer. A header's name is found as programs write it, with `_` in place of `-` and in any case. Linear in the text.
 */
export class ShortSecrets {
  readonly #search: RegExp;

  constructor(secrets: readonly ShortSecret[]) {
    const one = ({ name, value }: ShortSecret): string => {
      const names = [...name].map((letter) => (/[-_]/.test(letter) ? '[-_ ]' : literal(letter))).join('');
      const values = [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)];
      const any = [...new Set(values)].map((text) => literal(text)).join('|');
      return String.raw`(?<=${names}${between}(?:(?:basic|bearer|token|key)\s)?)(?:${any})(?![A-Za-z0-9])`;
    };
    this.#search = new RegExp(secrets.map(one).join('|'), 'giu');
  }

  apply(text: string): string {
    return text.replace(this.#search, '***');
  }
}
