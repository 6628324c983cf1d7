import { KongTsError } from '../base/errors.ts';
import { hasColour, palette, authorFrame, excerptNamedIn, readableStack } from '../terminal/index.ts';

/**
 * The place of an error in the author's plugin, with its line of source. A terminal shows it below the line that says
 * what is wrong.
 * @returns text of several lines; empty where the error is not in a plugin's code
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

/** The stacks of an error and of its causes, the first cause first. */
function causes(thrown: unknown): string[] {
  if (!(thrown instanceof Error)) return [];
  return [...causes(thrown.cause), thrown.stack ?? ''];
}
