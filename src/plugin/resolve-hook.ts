import { readFileSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { isListOfLocales, lazyLocales } from './lazy-locales.ts';
import { packageRoot, runsFromSource } from '../base/package.ts';

/** Where this package's own dependencies are resolved from. */
const selfParent = new URL('package.json', packageRoot).href;

/** Packages that a plugin may import without installing them: it gets this package's copy then. */
const lent = /^zod(\/|$)/;

let registered = false;

/**
 * Makes imports of `kong-ts`, wherever the importing plugin lies on the disk, resolve to the running package
 * (sources in a checkout, `dist` when published), so that a plugin and its server share one of everything; and
 * imports of `zod` too where the plugin has no zod of its own. The languages of zod's messages are read when they are
 * used, in any copy of zod. Registering twice does nothing.
 */
export function registerResolveHook(): void {
  if (registered) return;
  registered = true;
  module.registerHooks({
    resolve(specifier, context, nextResolve) {
      const own = /^kong-ts(\/.*)?$/.exec(specifier);
      if (own !== null) {
        const url = entryPoint(`.${own[1] ?? ''}`);
        if (url !== null) return { url, shortCircuit: true };
      }
      if (!lent.test(specifier)) return nextResolve(specifier, context);
      try {
        return nextResolve(specifier, context);
      } catch {
        // For require() Node goes by the requiring module, whatever parent is named here.
        if (context.conditions.includes('require')) {
          const file = createRequire(selfParent).resolve(specifier);
          return { url: pathToFileURL(file).href, shortCircuit: true };
        }
        return nextResolve(specifier, { ...context, parentURL: selfParent });
      }
    },
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!isListOfLocales(url) || loaded.format !== 'module' || loaded.source == null) return loaded;
      const source = lazyLocales(textOf(loaded.source));
      return source === null ? loaded : { ...loaded, source };
    },
  });
}

function textOf(source: string | ArrayBuffer | NodeJS.TypedArray): string {
  return typeof source === 'string' ? source : new TextDecoder().decode(source);
}

type Entry = string | Readonly<Record<string, string>>;

let entries: Readonly<Record<string, Entry>> | null = null;

/** The file behind an entry point of this package (`.`, `./lua`), null if the package does not export it. */
function entryPoint(subpath: string): string | null {
  entries ??= (
    JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as {
      exports: Record<string, Entry>;
    }
  ).exports;
  const entry = Object.hasOwn(entries, subpath) ? entries[subpath] : undefined;
  if (entry === undefined) return null;
  const file = typeof entry === 'string' ? entry : entry[runsFromSource ? 'kong-ts-source' : 'default'];
  return file === undefined ? null : new URL(file, packageRoot).href;
}
