import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['kong-ts-source'] },
  ssr: { resolve: { conditions: ['kong-ts-source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/containers/**', 'node_modules/**', 'dist/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
