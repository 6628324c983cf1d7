import { defineConfig } from 'vitest/config';

/** `npm run test:newcomer`: what a person does in the first ten minutes, with the package as it would be published. */
export default defineConfig({
  test: {
    include: ['test/newcomer/**/*.newcomer.ts'],
    globalSetup: ['test/newcomer/support/packed.ts'],
    pool: 'forks',
    // One after the other: the times are a person's.
    maxWorkers: 1,
    testTimeout: 170_000,
    hookTimeout: 120_000,
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
