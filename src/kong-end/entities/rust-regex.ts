import { RRegex } from 'rregex';
import { messageOf } from '../../base/errors.ts';

/** The match of an expression. It has no offsets, because they would not fit JavaScript's text. */
export interface RustMatch {
  /** Element 0 is the whole match; a group that took no part is empty. */
  readonly unnamed: readonly string[];
  readonly named: Readonly<Record<string, string>>;
}

/**
 * Rust's `regex` crate itself, in WebAssembly: what Kong's router compiles the expressions of routes with. It knows
 * neither look-around nor backreferences, and reads a text in linear time.
 */
export class RustRegex {
  readonly #regex: RRegex;
  /** The groups' names, null where a group has none. */
  readonly #names: readonly (string | null)[];
  /** Names of ours for all groups, which tell them apart. */
  readonly #groups: readonly string[] | null;

  /** @throws Error with the crate's words */
  constructor(source: string) {
    const given = new RRegex(source);
    this.#names = given.captureNames().slice(1);
    const own = this.#names.length === 0 ? null : withOwnNames(source, this.#names.length);
    this.#regex = own?.regex ?? given;
    this.#groups = own?.groups ?? null;
  }

  test(text: string): boolean {
    return this.#regex.isMatch(text);
  }

  exec(text: string): RustMatch | null {
    const found = this.#regex.captures(text);
    if (found === undefined) return null;
    const valueOf = (name: string): string | null =>
      Object.hasOwn(found.name, name) ? (found.name[name]?.value ?? null) : null;
    const groups = this.#groups?.map(valueOf) ?? found.get.slice(1).map(({ value }) => value);
    const named = Object.create(null) as Record<string, string>;
    for (const [index, name] of this.#names.entries()) {
      if (name === null) continue;
      const value = this.#groups === null ? valueOf(name) : groups[index];
      if (typeof value === 'string') named[name] = value;
    }
    return { unnamed: [found.get[0]?.value ?? '', ...groups.map((each) => each ?? '')], named };
  }
}

/** The crate's error about an expression that it refuses, on one line. */
export function rustRegexError(source: string): string | undefined {
  try {
    new RRegex(source).free();
    return undefined;
  } catch (error) {
    return (/^error: (.*)$/m.exec(messageOf(error))?.[1] ?? messageOf(error)).trim();
  }
}

/**
 * The binding lists the groups that took part without their numbers, so we give them names. Null if a look at the text
 * does not find all groups (a bracket in a comment hides one). The crate's own list of groups tells.
 */
function withOwnNames(source: string, count: number): { regex: RRegex; groups: string[] } | null {
  let number = 0;
  let depth = 0;
  // A bracket right behind the one that opens a class is a member of it.
  const named = source.replace(/\\.|\[\^?\]?|\]|\((?!\?)|\(\?P?<[^>]*>/gsu, (part) => {
    if (part.startsWith('[')) depth++;
    if (part === ']') depth = Math.max(0, depth - 1);
    return part.startsWith('(') && depth === 0 ? `(?P<group_${String(++number)}>` : part;
  });
  try {
    const regex = new RRegex(named);
    const groups = regex.captureNames().filter((name) => name?.startsWith('group_') === true) as string[];
    if (groups.length === count) return { regex, groups };
    regex.free();
  } catch {
    // With the names, it became another expression.
  }
  return null;
}
