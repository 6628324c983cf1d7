#!/usr/bin/env node
// Plain JavaScript on purpose: a Node too old for the rest still gets a sentence instead of a syntax error.
import { existsSync } from 'node:fs';
import module from 'node:module';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `kong-ts needs Node.js 22.18 or later and was started by ${process.version} (${process.execPath}).\n` +
      'In a checkout, run it through npm (npx kong-ts ...), which uses the Node 24 that npm ci installed.\n',
  );
  process.exit(1);
}

// Compiled code (and TypeScript without its types) is kept between runs: Kong runs `dump` at every start and reload.
module.enableCompileCache?.();

// A checkout runs its sources, which Node reads without a build; the published package has dist only.
const source = new URL('../src/cli/main.ts', import.meta.url);
const { main } = await import(
  existsSync(source) ? source.href : new URL('../dist/src/cli/main.js', import.meta.url).href
);
await main(process.argv.slice(2));
