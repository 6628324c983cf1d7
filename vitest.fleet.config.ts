import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** What needs a PostgreSQL server of its own: Debian's, as a throw-away cluster on a free port. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/fleet/**/*.test.ts', 'test/conformance/event-hooks/postgres.test.ts'],
    // The test of faults by hand: it takes minutes, see docs/fleet.md.
    exclude: [
      'node_modules/**',
      'dist/**',
      ...(process.env.KONG_TS_FLEET_FAULTS === undefined ? ['test/fleet/faults/**'] : []),
    ],
    env: { ...base.test?.env, KONG_TS_TEST_POSTGRES: 'server' },
    maxWorkers: 1,
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
});
