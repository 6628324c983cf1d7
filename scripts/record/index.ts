/**
 * Records what a Kong does, in the form of test/fixtures/kong, and compares recordings. See CONTRIBUTING.md, "Recordings".
 *
 *   node scripts/record/index.ts matrix --image kong:3.9.3 --out test/fixtures/kong/pdk-matrix-3.9.3.json
 */
import { parseArgs } from 'node:util';
import { gatewayOptions, gatewayUsage, openGateway, prepareProbes } from '../gateways/open.ts';
import { compare } from './compare-files.ts';
import type { RecordingKind } from './kinds.ts';
import { kinds, recordKind } from './kinds.ts';

const usage = `Usage:
  node scripts/record/index.ts KIND WHICH-KONG --out PLACE [--like PLACE]
      KIND is matrix, transcripts or connections (PLACE is a folder), admin-api, http-log or merging
  node scripts/record/index.ts all WHICH-KONG --out FOLDER
  node scripts/record/index.ts compare BEFORE AFTER     two files, or two folders
  node scripts/record/index.ts probes FOLDER            settings for a Kong that is started by hand

WHICH-KONG:
${gatewayUsage}

  --like PLACE   a recording that says what to ask (default: the one in test/fixtures/kong)
  --only NAMES   of functions or scenarios, with commas
  --plugin NAME  that http-log asks for (default http-log)
`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    ...gatewayOptions,
    out: { type: 'string' },
    like: { type: 'string' },
    only: { type: 'string' },
    plugin: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const [command = '', first, second] = positionals;
  if (command === 'compare' && first !== undefined && second !== undefined) return compare(first, second);
  if (command === 'probes' && first !== undefined) {
    process.stdout.write(await prepareProbes(first));
    return 0;
  }
  const wanted = command === 'all' ? kinds : kinds.filter((kind) => kind === command);
  if (values.help || wanted.length === 0 || values.out === undefined) {
    process.stderr.write(usage);
    return values.help ? 0 : 2;
  }
  if (command !== 'all') {
    for (const kind of wanted) await record(kind, values.out, false);
    return 0;
  }
  return recordAll(values.out);
}

/** What cannot be recorded of this Kong keeps nothing else from being recorded. */
async function recordAll(out: string): Promise<number> {
  let failed = 0;
  for (const kind of kinds) {
    try {
      await record(kind, out, true);
    } catch (error) {
      failed++;
      process.stderr.write(
        `${kind}: not recorded. ${error instanceof Error ? error.message : String(error)}\n`,
      );
    }
  }
  return failed === 0 ? 0 : 1;
}

async function record(kind: RecordingKind, out: string, inFolder: boolean): Promise<void> {
  // Admin API recordings begin with an empty database.
  const gateway = await openGateway({ ...values, postgres: values.postgres || kind === 'admin-api' });
  try {
    const place = await recordKind(kind, gateway, {
      out,
      inFolder,
      like: values.like ?? null,
      only: values.only?.split(',') ?? null,
      plugin: values.plugin ?? 'http-log',
    });
    process.stdout.write(`${kind}: ${place}\n`);
  } finally {
    await gateway.close();
  }
}
