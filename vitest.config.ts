import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const sources = quoted(fileURLToPath(new URL('.', import.meta.url)));
const pluginsOfTests = new RegExp(`^(?!${sources})${quoted(realpathSync(tmpdir()))}/kong-ts-`);

export default defineConfig({
  resolve: { conditions: ['kong-ts-source'] },
  // Not `import`: Node would take it for require(), too, and packages that have both would get the wrong one.
  ssr: { resolve: { conditions: ['kong-ts-source', 'node', 'module'] } },
  test: {
    include: ['test/**/*.test.ts', 'examples/recipes/*.test.ts'],
    exclude: ['test/containers/**', 'test/console/**', 'test/fleet/**', 'node_modules/**', 'dist/**'],
    pool: 'forks',
    // Plugins that tests write to folders of their own are Node's to load, as in production. Vite would take over every
    // import() of them: it asks another process for each module, and resolves `kong-ts` by rules of its own.
    server: { deps: { external: [pluginsOfTests] } },
    // The files of one worker share its process and its modules: starting them anew for each file took a third of all
    // time. What a test changes in the process (environment, clock, spies), it restores.
    isolate: false,
    // One more than the cores of a small machine: many tests wait for processes most of the time.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // Many processes of the same sources: from the second one on they start without compiling them.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/kong-ts-tests', import.meta.url)) },
    // How long a test that will not succeed is waited for: a busy machine takes its time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000, interval: 20 } },
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
