import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { compareRecordings } from './compare.ts';

/** Prints the kinds of difference of two recordings, or of all in two folders. Returns 1 when there are any. */
export function compare(before: string, after: string): number {
  let different = 0;
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  for (const [was, is] of pairs(before, after)) {
    if (was === null || is === null) {
      say(`${was ?? is ?? ''}: only in ${was === null ? after : before}`);
      different++;
      continue;
    }
    const kinds = compareRecordings(
      JSON.parse(readFileSync(was, 'utf8')),
      JSON.parse(readFileSync(is, 'utf8')),
    );
    different += kinds.length;
    say(`${is}: ${kinds.length === 0 ? 'alike' : `${String(kinds.length)} kinds of difference`}`);
    for (const { place, count, before: old, after: now } of kinds)
      say(`  ${place}${count > 1 ? ` (${String(count)} times)` : ''}\n    - ${old}\n    + ${now}`);
  }
  return different === 0 ? 0 : 1;
}

function pairs(before: string, after: string): [string | null, string | null][] {
  if (!statSync(before).isDirectory()) return [[before, after]];
  const names = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
  const [old, now] = [names(before), names(after)];
  return [...new Set([...old, ...now])]
    .sort()
    .map((name) => [
      old.includes(name) ? path.join(before, name) : null,
      now.includes(name) ? path.join(after, name) : null,
    ]);
}
