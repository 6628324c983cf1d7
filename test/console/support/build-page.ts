import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The page is built before the tests, where it is not there or older than its sources. */
export default function setup(): void {
  const script = fileURLToPath(new URL('../../../scripts/build-console.ts', import.meta.url));
  execFileSync(process.execPath, [script], { stdio: ['ignore', 'ignore', 'inherit'] });
}
