// tsc never deletes what an earlier build left behind, and a stale file in dist would be published.
import { rmSync } from 'node:fs';

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
