import { PatternError } from './matcher.ts';

const percent = 0x25;
const open = 0x5b;
const close = 0x5d;

/**
 * What is malformed about a Lua pattern, in LuaJIT's words; null for a pattern that `string.match` takes. Lua itself
 * raises only when matching comes to the place, which it does with some texts and not with others.
 */
export function patternProblem(text: string): string | null {
  try {
    walk(Buffer.from(text));
    return null;
  } catch (error) {
    if (error instanceof PatternError) return error.message;
    throw error;
  }
}

/** @throws PatternError */
function walk(pattern: Uint8Array): void {
  const captures: ('open' | 'closed')[] = [];
  for (let at = pattern[0] === 0x5e ? 1 : 0; at < pattern.length;) {
    const c = pattern[at];
    if (c === 0x28) {
      if (captures.length >= 32) throw new PatternError('too many captures');
      const isPosition = pattern[at + 1] === 0x29;
      captures.push(isPosition ? 'closed' : 'open');
      at += isPosition ? 2 : 1;
    } else if (c === 0x29) {
      const last = captures.lastIndexOf('open');
      if (last < 0) throw new PatternError('invalid pattern capture');
      captures[last] = 'closed';
      at += 1;
    } else if (c === percent) at = afterPercent(pattern, at, captures);
    else at = c === open ? afterSet(pattern, at) : at + 1;
  }
  if (captures.includes('open')) throw new PatternError('unfinished capture');
}

function afterPercent(pattern: Uint8Array, at: number, captures: readonly ('open' | 'closed')[]): number {
  const letter = pattern[at + 1];
  if (letter === undefined) throw new PatternError("malformed pattern (ends with '%')");
  if (letter === 0x62) {
    if (at + 3 >= pattern.length) throw new PatternError('unbalanced pattern');
    return at + 4;
  }
  if (letter === 0x66) {
    if (pattern[at + 2] !== open) throw new PatternError("missing '[' after '%f' in pattern");
    return afterSet(pattern, at + 2);
  }
  if (letter >= 0x30 && letter <= 0x39 && captures[letter - 0x31] !== 'closed')
    throw new PatternError('invalid capture index');
  return at + 2;
}

/** Where a set ends that begins here; its first character is one of it, also when it is `]`. */
function afterSet(pattern: Uint8Array, at: number): number {
  let end = pattern[at + 1] === 0x5e ? at + 2 : at + 1;
  do {
    if (end >= pattern.length) throw new PatternError("malformed pattern (missing ']')");
    end += pattern[end] === percent ? 2 : 1;
  } while (pattern[end] !== close);
  return end + 1;
}
