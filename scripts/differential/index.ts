/**
 * Sends one set of exchanges through the sandbox and through a Kong, and prints how they differ, by kind.
 *
 *   node scripts/differential/index.ts --image kong:3.9.3     the sandbox against an image
 *   node scripts/differential/index.ts                        the sandbox against what Kong 3.9.3 was seen to do
 */
import { parseArgs } from 'node:util';
import type { GatewayChoice } from '../gateways/open.ts';
import { gatewayOptions, openGateway } from '../gateways/open.ts';
import type { Difference } from './difference.ts';
import { differencesOf, expectedOf } from './difference.ts';
import { documentedDifferences } from './documented.ts';
import type { Exchange, Expected } from './exchange.ts';
import { observeAll } from './observe.ts';
import { firstSet } from './first-set.ts';
import { printKinds } from './print.ts';

const { values } = parseArgs({ options: { ...gatewayOptions, only: { type: 'string' } } });
const only = values.only?.split(',');
const exchanges = firstSet.filter(({ id }) => only?.some((each) => id.startsWith(each)) ?? true);
const against = values.image !== undefined || values.proxy !== undefined;

/** What each exchange is held to: what the other Kong does now, or what was written down. */
const expected = new Map<string, Expected>(exchanges.map(({ id, kong }) => [id, kong]));
if (against) {
  await observing({ ...values, sandbox: false }, (exchange, seen) => {
    // Where a Kong differs from what was written down, the set is what has to be corrected.
    const stale = differencesOf(exchange.kong, seen);
    for (const { kind, place, kong, seen: now } of stale)
      process.stdout.write(`set: ${exchange.id} ${kind} ${place}: written ${kong}, now ${now}\n`);
    expected.set(exchange.id, expectedOf(seen));
  });
}
const found = new Map<Exchange, Difference[]>();
await observing({ sandbox: true }, (exchange, seen) => {
  const differences = differencesOf(expected.get(exchange.id) ?? exchange.kong, seen);
  if (differences.length > 0) found.set(exchange, differences);
});
const documented = documentedDifferences();
printKinds(found, documented, exchanges.length);
process.exitCode = [...found.keys()].every(({ id }) => documented.includes(id)) ? 0 : 1;

async function observing(choice: GatewayChoice, seen: Parameters<typeof observeAll>[2]): Promise<void> {
  const gateway = await openGateway(choice);
  try {
    await observeAll(gateway, exchanges, seen);
  } finally {
    await gateway.close();
  }
}
