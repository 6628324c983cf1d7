/**
 * What a terminal acts on instead of showing it: control characters (with `\x1b[` and its one-byte form `\x9b` a stranger
 * moves the cursor, renames the window or types for the user), marks that turn the direction of a line, and separators of
 * lines. Line feeds and tabs are looked at on their own.
 */
const acts = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
const breaks = /[\n\t]/g;

const escaped = (character: string): string =>
  ({ '\n': '\\n', '\t': '\\t', '\r': '\\r' })[character] ??
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * Makes a text of several lines, parts of which come from others, safe for a terminal: an escape is shown as `\u001b`.
 */
export const printable = (text: string): string => text.replace(acts, escaped);

/** Likewise within a line: line feeds and tabs are shown as `\n` and `\t`. */
export const printableLine = (text: string): string => printable(text).replace(breaks, escaped);

/** The same for JSON, which stays JSON: such characters can stand only within its strings. */
export const printableJson = (value: unknown): string => printable(JSON.stringify(value, null, 2));
