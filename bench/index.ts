import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Comparison } from './lib/context.ts';
import { Context } from './lib/context.ts';
import { drawPictures } from './report/pictures.ts';
import { table } from './report/table.ts';
import { codecs } from './scenarios/codecs.ts';
import { floor } from './scenarios/floor.ts';
import { hooks } from './scenarios/hooks.ts';
import { httpLog } from './scenarios/http-log.ts';
import { latency } from './scenarios/latency.ts';
import { merging } from './scenarios/merging.ts';
import { memory } from './scenarios/memory.ts';
import { priced, pricedLog } from './scenarios/priced.ts';
import { scaling } from './scenarios/scaling.ts';
import { start } from './scenarios/start.ts';
import { throughput } from './scenarios/throughput.ts';

const scenarios = {
  throughput,
  merging,
  floor,
  priced,
  'priced-log': pricedLog,
  latency,
  scaling,
  start,
  codecs,
  hooks,
  'http-log': httpLog,
  memory,
};
const here = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '16' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(
    `npm run bench -- [--only ${Object.keys(scenarios).join('|')}]... [--rounds 5] [--seconds 2] [--connections 16] [--write]\n` +
      '  --write puts the table and the picture into bench/README.md\n',
  );
  process.exit(0);
}

const unknown = (values.only ?? []).filter((name) => !(name in scenarios));
if (unknown.length > 0) {
  process.stderr.write(`no scenario ${unknown.join(', ')}; there are ${Object.keys(scenarios).join(', ')}\n`);
  process.exit(2);
}
if (!existsSync(here('peer/node_modules'))) {
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here('peer'), stdio: 'inherit' });
}

const context = new Context({
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  connections: Number(values.connections),
});
const results: Record<string, Comparison[]> = {};
try {
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (values.only !== undefined && !values.only.includes(name)) continue;
    try {
      results[name] = await scenario(context);
    } catch (error) {
      // The others have their say, and the run fails in the end.
      process.exitCode = 1;
      context.say(
        `${name} has failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
    await context.reset();
  }
} finally {
  await context.close();
}

const rows = Object.values(results).flat();
process.stdout.write(`${table(rows)}\n`);
mkdirSync(here('results'), { recursive: true });
writeFileSync(
  here('results/latest.json'),
  `${JSON.stringify({ node: process.version, options: values, results }, null, 2)}\n`,
);
drawPictures(results);
if (values.write) {
  const readme = readFileSync(here('README.md'), 'utf8');
  const begin = '<!-- results -->';
  const end = '<!-- /results -->';
  const before = readme.slice(0, readme.indexOf(begin) + begin.length);
  const after = readme.slice(readme.indexOf(end));
  writeFileSync(here('README.md'), `${before}\n\n${table(rows)}\n\n${after}`);
}
