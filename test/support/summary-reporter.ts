import { appendFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/**
 * Ends a run with why tests were skipped, and the plain line `N passed, N failed` (`, N skipped` where there are any) that scripts read. The numbers
 * of passed and failed tests are appended to the file that KONG_TS_TEST_COUNTS names, for a sum over several runs.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 };
    const skips: string[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state === 'passed') count.passed += 1;
        else if (state === 'failed') count.failed += 1;
        else {
          count.skipped += 1;
          skips.push(`skipped: ${test.fullName}: ${noteOf(test)}`);
        }
      }
      // A file that cannot be imported holds no test, but its run has failed.
      if (module.errors().length > 0) count.failed += 1;
    }
    const skipped = count.skipped > 0 ? `, ${String(count.skipped)} skipped` : '';
    const file = process.env['KONG_TS_TEST_COUNTS'];
    if (file !== undefined && file !== '')
      appendFileSync(file, `${String(count.passed)} ${String(count.failed)}\n`);
    for (const line of skips) process.stdout.write(`${line}\n`);
    process.stdout.write(`${String(count.passed)} passed, ${String(count.failed)} failed${skipped}\n`);
  }
}

/** Why a test was skipped: what it said itself, or the condition that its name or its group tells. */
function noteOf(test: TestCase): string {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  return note ?? 'not on this machine (see the condition beside its name)';
}
