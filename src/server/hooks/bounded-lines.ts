import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';

/**
 * Reads the lines that a child process prints. It does not keep text without an end for ever: a piece of the longest
 * length counts as a line, too.
 *
 * @param longest in UTF-16 units; default 65,536
 */
export function readLines(input: Readable, take: (line: string) => void, longest = 65_536): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  input.on('data', (bytes: Buffer) => {
    const lines = (rest + decoder.write(bytes)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line.endsWith('\r') ? line.slice(0, -1) : line);
    for (; rest.length > longest; rest = rest.slice(longest)) take(rest.slice(0, longest));
  });
  input.once('end', () => {
    if (rest !== '') take(rest);
    rest = '';
  });
}
