import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * `npm run test:console`: the console in a real Chromium against a real dispatcher. Without a Chromium the tests are skipped
 * and say so.
 */
export default defineConfig({
  resolve: { conditions: ['kong-ts-source'] },
  ssr: { resolve: { conditions: ['kong-ts-source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['test/console/**/*.test.ts'],
    globalSetup: ['test/console/support/build-page.ts'],
    pool: 'forks',
    isolate: false,
    maxWorkers: 2,
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/kong-ts-tests', import.meta.url)) },
    // How long a test that will not succeed is waited for: a busy machine takes its time.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 20_000, interval: 20 } },
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
