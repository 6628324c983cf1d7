import { defineConfig } from 'vitest/config';

/** `npm run test:memory`: a million events through a real server. */
export default defineConfig({
  resolve: { conditions: ['kong-ts-source'] },
  ssr: { resolve: { conditions: ['kong-ts-source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['test/memory/*.memory.ts'],
    pool: 'forks',
    maxWorkers: 1,
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
