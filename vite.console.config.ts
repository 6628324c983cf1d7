import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const place = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The console: `npm run build:console` writes it to dist/console, with hashed names and a manifest. */
export default defineConfig({
  root: place('src/console'),
  // The page stands below /console/, or below whatever a proxy puts before it.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: place('dist/console'),
    emptyOutDir: true,
    manifest: 'manifest.json',
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // The polyfill would be an inline script, which the Content-Security-Policy refuses; these browsers need none.
    modulePreload: { polyfill: false },
    // Nothing is inlined: data: addresses are refused, too.
    assetsInlineLimit: 0,
    sourcemap: false,
    reportCompressedSize: false,
  },
});
