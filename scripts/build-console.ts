// `npm start` in a checkout: the console's page is built where it is not there, or older than its sources.
import { globSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));

/** When a file was written; 0 where there is none. */
const writtenAt = (file: string): number =>
  statSync(`${root}/${file}`, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const sources = [
  ...globSync('src/console/**/*.*', { cwd: root }),
  'vite.console.config.ts',
  'package-lock.json',
];
if (writtenAt('dist/console/index.html') < Math.max(...sources.map(writtenAt))) {
  process.stdout.write('Building the console...\n');
  await build({ configFile: `${root}/vite.console.config.ts`, logLevel: 'warn' });
}
