import { defineConfig } from 'vitest/config';

/** `npm run test:containers`: the behaviour suite against KONG_IMAGE, or the sandbox image where that is what there is. */
export default defineConfig({
  resolve: { conditions: ['kong-ts-source'] },
  ssr: { resolve: { conditions: ['kong-ts-source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['test/containers/**/*.test.ts', 'examples/containers/*.test.ts'],
    setupFiles: ['test/containers/support/failed-tests.ts'],
    globalSetup: ['test/containers/support/global-setup.ts'],
    // Nothing is fetched and nothing is left to a helper container: every test stops what it started.
    env: { TESTCONTAINERS_RYUK_DISABLED: 'true' },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
