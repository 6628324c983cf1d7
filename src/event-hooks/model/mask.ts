import { formsOf } from './alphabets.ts';
import type { Spelling } from './spelling.ts';
import { endsOf, escapedAt, isCutAt, spellingsOf } from './spelling.ts';
import type { ShortSecret } from './short-secrets.ts';
import { ShortSecrets } from './short-secrets.ts';
import type { Decoded } from './unescape.ts';
import { unescaped } from './unescape.ts';

/**
 * Secrets by the numbers that each can begin with: those of its first character, and of that character's halves and
 * bytes.
 */
type Secrets = ReadonlyMap<number, readonly (readonly Spelling[])[]>;

/** A shorter beginning reveals too little of a secret. */
const minBeginning = 4;
/**
 * How many characters of secrets are looked for. If a hook holds more, nothing of its target's answers is shown,
 * because each character is compared with each place of an answer.
 */
const maxCharacters = 32 * 1024;
/** How many levels of escapes are read before the comparison, which reads one more: JSON in JSON in a form. */
const maxLevels = 2;

/**
 * Each short secret is looked for behind its name. If there are more of them than anybody sets, the whole text is
 * hidden.
 */
const maxShort = 64;

/**
 * Replaces secrets in texts of strangers by `***`: as they are, in escapes of JSON, of URLs and forms and of HTML, also
 * inside of each other, as base64 (within other bytes, too), hex, UTF-16 and lists of bytes, and the beginning of one where the text ends. Linear in the text's length.
 */
export class Mask {
  readonly #texts: readonly string[];
  readonly #hidesAll: boolean;
  readonly #given: readonly string[];
  readonly #short: ShortSecrets | null;
  #secrets: Secrets | null = null;
  #names: Mask | null = null;

  /**
   * @param secrets texts of at least four characters
   * @param short shorter ones, by the names that they go by
   */
  constructor(secrets: readonly string[], short: readonly ShortSecret[] = []) {
    this.#given = secrets;
    const characters = secrets.reduce((sum, { length }) => sum + length, 0);
    this.#hidesAll = characters > maxCharacters || short.length > maxShort;
    this.#texts = this.#hidesAll ? [] : [...new Set(secrets.flatMap(formsOf))];
    this.#short = this.#hidesAll || short.length === 0 ? null : new ShortSecrets(short);
  }

  apply(text: string): string {
    if (this.#hidesAll) return text === '' ? '' : '***';
    const shown = this.#long(text);
    return this.#short === null ? shown : this.#short.apply(shown);
  }

  /** The same for the name of a header, which has no capitals any more. */
  ofName(name: string): string {
    this.#names ??= new Mask([...this.#given, ...this.#given.map((secret) => secret.toLowerCase())]);
    return this.#names.apply(name);
  }

  #long(text: string): string {
    if (this.#texts.length === 0 || text.length < minBeginning) return text;
    const ranges: [number, number][] = [];
    let level: Decoded[] = [{ text, from: null }];
    for (let depth = 0; depth <= maxLevels && level.length > 0; depth += 1) {
      for (const one of level) this.#find(one, ranges);
      if (depth < maxLevels) level = level.flatMap(unescaped);
    }
    return ranges.length === 0 ? text : replaced(text, ranges);
  }

  #find({ text, from }: Decoded, ranges: [number, number][]): void {
    const secrets = (this.#secrets ??= byBeginning(this.#texts));
    for (let at = 0; at < text.length; at += 1) {
      const candidates = secrets.get(text.charCodeAt(at)) ?? none;
      const escaped = marks.has(text[at] ?? '') ? (secrets.get(escapedAt(text, at)) ?? none) : none;
      let end = at;
      for (const list of escaped === none ? [candidates] : [candidates, escaped])
        for (const characters of list) end = Math.max(end, endOf(text, at, characters) ?? at);
      if (end === at) continue;
      ranges.push(from === null ? [at, end] : [from[at] ?? 0, from[end] ?? 0]);
      at = end - 1;
    }
  }
}

const marks: ReadonlySet<string> = new Set('%\\&');
const none: readonly (readonly Spelling[])[] = [];

function byBeginning(texts: readonly string[]): Secrets {
  const found = new Map<number, (readonly Spelling[])[]>();
  for (const text of texts) {
    const [first = 0] = Buffer.from(text, 'utf8');
    const spelling = spellingsOf(text);
    for (const number of new Set([text.charCodeAt(0), text.codePointAt(0) ?? 0, first])) {
      const list = found.get(number);
      if (list === undefined) found.set(number, [spelling]);
      else list.push(spelling);
    }
  }
  return found;
}

/** Where a secret ends that begins here, or the text's end where it holds the beginning of one; null: there is none. */
function endOf(text: string, start: number, characters: readonly Spelling[]): number | null {
  let ends: readonly number[] = [start];
  for (const [count, character] of characters.entries()) {
    if (count >= minBeginning && ends.some((end) => isCutAt(text, end))) return text.length;
    const [only] = ends;
    ends =
      ends.length === 1 && only !== undefined
        ? endsOf(text, only, character)
        : [...new Set(ends.flatMap((end) => endsOf(text, end, character)))];
    if (ends.length === 0) return null;
  }
  return Math.max(...ends);
}

function replaced(text: string, ranges: [number, number][]): string {
  let shown = '';
  let at = 0;
  for (const [start, end] of ranges.sort((a, b) => a[0] - b[0])) {
    if (start >= at) shown += `${text.slice(at, start)}***`;
    at = Math.max(at, end);
  }
  return shown + text.slice(at);
}
