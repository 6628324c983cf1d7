import { KongTsError } from '../base/errors.ts';

/** A test asks for something impossible. The error says what, and what to write instead. */
export function misuse(message: string, fix: string, cause?: unknown): KongTsError {
  return new KongTsError('TEST_MISUSE', message, cause === undefined ? { fix } : { fix, cause });
}

/** Words in a row for a message: `a, b or c`. */
export function listed(words: readonly string[], last = 'or'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1) ?? ''}`;
}
