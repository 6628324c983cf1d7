#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { main } from './lib/main.js';

const templates = fileURLToPath(new URL('templates', import.meta.url));

process.exitCode = await main(process.argv.slice(2), { command: 'npm create kong-ts@latest', templates });
