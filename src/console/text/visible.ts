/**
 * Text of strangers as it is to be seen. Characters that turn the direction of writing, that have no width, or that
 * control a terminal stand as their escapes: a payload can neither hide a part of itself nor change how the text around
 * it reads. Joiners stay, since scripts and emoji are written with them.
 */
const unseen = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

export const visible = (text: string): string => text.replace(unseen, escape);

function escape(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
