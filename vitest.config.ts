import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['kong-ts-source'] },
  ssr: { resolve: { conditions: ['kong-ts-source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/containers/**', 'node_modules/**', 'dist/**'],
    pool: 'forks',
    // One more than the cores of a small machine: many tests wait for processes most of the time.
    maxWorkers: 3,
    // How long a test that will not succeed is waited for: a busy machine takes its time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000, interval: 20 } },
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
