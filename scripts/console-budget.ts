// `npm run check:console`, after the build: what the console costs over the wire. A page that grows beyond it fails here.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

interface Chunk {
  readonly file: string;
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
  readonly css?: readonly string[];
}

/** Kilobytes of 1000, after gzip: what the first screen needs, and every file with charts and forms together. */
const most = { first: 45, all: 70 };

const folder = new URL('../dist/console/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')) as Record<string, Chunk>;
const size = (file: string): number => gzipSync(readFileSync(new URL(file, folder)), { level: 9 }).length;

/** A chunk's files, and those of what it imports before it runs. */
function filesOf(name: string, into: Set<string>): Set<string> {
  const chunk = manifest[name];
  if (chunk === undefined || into.has(chunk.file)) return into;
  into.add(chunk.file);
  for (const css of chunk.css ?? []) into.add(css);
  for (const other of chunk.imports ?? []) filesOf(other, into);
  return into;
}

const first = new Set(['index.html']);
const all = new Set(['index.html']);
for (const [name, { isEntry = false }] of Object.entries(manifest)) {
  if (isEntry) filesOf(name, first);
  filesOf(name, all);
}

const kilobytes = (files: Iterable<string>): number =>
  [...files].reduce((sum, file) => sum + size(file), 0) / 1000;
const found = { first: kilobytes(first), all: kilobytes(all) };
process.stdout.write(
  `console: first load ${found.first.toFixed(1)} kB of at most ${String(most.first)}, ` +
    `everything ${found.all.toFixed(1)} kB of at most ${String(most.all)} (gzip)\n`,
);
if (found.first > most.first || found.all > most.all) process.exitCode = 1;
