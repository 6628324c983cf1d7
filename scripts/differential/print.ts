import type { Difference } from './difference.ts';
import { differenceKinds } from './difference.ts';
import type { Exchange } from './exchange.ts';

/** Prints differences by kind, and how many exchanges of each class differ. */
export function printKinds(
  found: ReadonlyMap<Exchange, readonly Difference[]>,
  documented: readonly string[],
  total: number,
): void {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const all = [...found].flatMap(([exchange, differences]) =>
    differences.map((difference) => ({ exchange, difference })),
  );
  for (const kind of differenceKinds) {
    const these = all.filter(({ difference }) => difference.kind === kind);
    if (these.length === 0) continue;
    say(`${kind} (${String(these.length)})`);
    for (const { exchange, difference } of these) {
      const known = documented.includes(exchange.id) ? ', documented' : '';
      say(`  ${exchange.id} (class ${String(exchange.class)}${known}) ${difference.place}`);
      say(`    Kong    ${difference.kong}\n    sandbox ${difference.seen}`);
    }
  }
  const classes = ([1, 2, 3] as const).map(
    (each) =>
      `class ${String(each)}: ${String([...found.keys()].filter((one) => one.class === each).length)}`,
  );
  say(`${String(found.size)} of ${String(total)} exchanges differ; ${classes.join(', ')}`);
}
