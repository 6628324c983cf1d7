import { setTimeout as wait } from 'node:timers/promises';
import { beforeEach, onTestFailed } from 'vitest';
import { watchTest } from './watched.ts';

/** The engine hands on what a container prints a moment later. */
const late = 500;

// Where a test fails, what Kong has printed during this test alone is shown with it.
beforeEach(({ task }) => {
  const printed = watchTest();
  onTestFailed(async () => {
    await wait(late);
    process.stderr.write(`\n--- "${task.name}" failed. ${printed()}\n---\n`);
  });
});
