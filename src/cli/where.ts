import { KongTsError } from '../base/errors.ts';
import { hasColour, palette, authorFrame, excerptNamedIn, readableStack } from '../terminal/index.ts';

/**
 * Where the author of a plugin finds an error, with the line of source: for a terminal, below the line that says what is wrong.
 * @returns text of several lines, empty where the error is nobody's code
 */
export function whereText(
  thrown: unknown,
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): string {
  if (!KongTsError.is(thrown)) return '';
  const paint = palette(hasColour(stream, environment));
  const stack = causes(thrown).find((each) => authorFrame(each) !== null);
  const lines =
    stack === undefined ? excerptNamedIn(thrown.message, paint) : readableStack(stack, process.cwd(), paint);
  return lines.map((line) => `  ${line}\n`).join('');
}

/** The stacks of what has led to an error, the first cause first. */
function causes(thrown: unknown): string[] {
  if (!(thrown instanceof Error)) return [];
  return [...causes(thrown.cause), thrown.stack ?? ''];
}
