import { encodeLuaText } from '../text.ts';
import { Parser } from './parser.ts';

/** The longest source that is taken, in bytes. */
const maxSource = 1_048_576;

/**
 * Checks that a source compiles in Kong, as LuaJIT 2.1 reads it there:
 *
 * - Lua 5.1 with `goto`, `\x`, `\z`, `\u{}`, empty statements and `break` anywhere;
 * - without integer division, bit operators, attributes and bytecode.
 *
 * It does not check LuaJIT's limits on the registers and constants of one function.
 *
 * @throws KongTsError LUA_INVALID with the line, in LuaJIT's words
 */
export function checkLua51(source: string): void {
  translate(source);
}

/**
 * The source for Lua 5.4, with the same lines: numerals as floats, `..` and `%` as calls.
 *
 * @returns one character per byte
 * @throws KongTsError LUA_INVALID
 */
export function translate(source: string): string {
  const bytes = encodeLuaText(source);
  const text = bytes.toString('latin1');
  const parser = new Parser(text);
  if (bytes.length > maxSource) parser.error(`the source is longer than ${maxSource} bytes`);
  parser.chunk();
  return withoutFirstMark(parser.edits.apply(text));
}

/** LuaJIT skips a byte order mark and a first line that begins with a hash. Lua 5.4 does not. */
function withoutFirstMark(text: string): string {
  const plain = text.startsWith('\u00ef\u00bb\u00bf') ? text.slice(3) : text;
  return plain.startsWith('#') ? `--${plain}` : plain;
}

export { joinName, remainderName } from './expressions.ts';
