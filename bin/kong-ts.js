#!/usr/bin/env node
// Plain JavaScript on purpose: a Node too old for the rest still gets a sentence instead of a syntax error.
import { existsSync, lstatSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  const checkout = existsSync(new URL('../src/cli/main.ts', import.meta.url));
  process.stderr.write(
    `kong-ts needs Node.js 22.19 or later and was started by ${process.version} (${process.execPath}).\n` +
      (checkout
        ? 'In a checkout, run it through npm (npx kong-ts ...), which uses the Node 24 that npm ci installed.\n'
        : 'Give the project a Node of its own: npm install --save-dev node@24, then npx kong-ts ... or an npm script.\n'),
  );
  process.exit(1);
}

// Kong leaves umask 0 to what it starts. What any command writes is for its own user alone; a shell that writes what a
// command prints does that with its own umask.
process.umask(0o077);

// Compiled code (and TypeScript without its types) is kept between runs: Kong runs `dump` at every start and reload. Node
// runs what it finds there, so the folder has to be this user's alone; another one's is not used.
const cache =
  process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), `kong-ts-compile-cache-${String(process.geteuid?.())}`);
if (isPrivate(cache)) module.enableCompileCache?.(cache);

function isPrivate(folder) {
  if (process.env.NODE_COMPILE_CACHE !== undefined) return true;
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (error.code !== 'EEXIST') return false;
  }
  const now = lstatSync(folder);
  return now.isDirectory() && now.uid === process.geteuid?.() && (now.mode & 0o022) === 0;
}

// A checkout runs its sources, which Node reads without a build; the published package has dist only.
const source = new URL('../src/cli/main.ts', import.meta.url);
const { main } = await import(
  existsSync(source) ? source.href : new URL('../dist/src/cli/main.js', import.meta.url).href
);
await main(process.argv.slice(2));
