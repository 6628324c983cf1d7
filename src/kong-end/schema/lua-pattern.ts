import { KongTsError } from '../../base/errors.ts';
import { PatternError, PatternMatcher } from '../../lua-pattern/index.ts';

/**
 * Lua 5.1 patterns (`string.match`) on bytes, the language of `match`, `match_none` and their like in Kong's schemas.
 * A pattern that comes with a plugin meets a value that comes with a request: matching is bounded.
 */

/** So many steps take about 20 ms. */
const maxSteps = 2_000_000;

/** Whether the pattern matches somewhere in the text. Throws CONFIG_INVALID when the pattern is malformed. */
export function luaMatches(text: string, pattern: string): boolean {
  return luaMatch(text, pattern) !== null;
}

/** The answer of `string.match`: the captures, or the whole match if there are none. Null without a match. */
export function luaMatch(text: string, pattern: string): string[] | null {
  const bytes = Buffer.from(text);
  let steps = 0;
  const spend = (more: number): void => {
    steps += more;
    if (steps > maxSteps) throw new PatternError('matching takes too long');
  };
  try {
    const match = new PatternMatcher(bytes, Buffer.from(pattern), spend).find(0);
    if (match === null) return null;
    if (match.captures.length === 0) return [bytes.toString('utf8', match.start, match.end)];
    return match.captures.map(({ start, length }) =>
      length === -2 ? String(start + 1) : bytes.toString('utf8', start, start + length),
    );
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new KongTsError('CONFIG_INVALID', `The Lua pattern '${pattern}' is malformed: ${error.message}.`);
  }
}
