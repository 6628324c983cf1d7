import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { late, within } from '../base/within.ts';
import { KongTsError } from '../base/errors.ts';
import { isCompiledPlugin } from './brand.ts';
import { compilePlugin } from './define.ts';
import { isKongPdkModule } from './kong-pdk/module.ts';
import { isKongPdkSource } from './kong-pdk/style.ts';
import { registerResolveHook } from './resolve-hook.ts';
import type { CompiledPlugin } from './types.ts';
import { findPlugin } from './find.ts';

export interface LoadOptions {
  /** What a relative path and a package name are resolved from. Default: the current working directory. */
  cwd?: string;
  /** How long a top-level await of the plugin may take, in milliseconds. Default: 30,000. */
  limitMs?: number;
}

/**
 * Loads a plugin: a file (`./my-plugin.ts`, also .mts, .cts, .js, .mjs, .cjs, or a folder with an index file or a
 * package.json), the name of a plugin that comes with the package (`http-log-enterprise`), or the name of an
 * installed package. Its default export is what definePlugin returned, the argument of it, or a plugin for kong-pdk.
 *
 * @throws KongTsError PLUGIN_NOT_FOUND, PLUGIN_LOAD_FAILED (it threw, does not parse, lacks an import, or awaits
 *   something that does not come) or PLUGIN_INVALID (it does not export a plugin): each names the file, the reason and
 *   the fix
 */
export async function loadPlugin(spec: string, options: LoadOptions = {}): Promise<CompiledPlugin> {
  registerResolveHook();
  const file = findPlugin(spec, options.cwd ?? process.cwd());
  return pluginOf(await importFile(file, options.limitMs ?? loadLimitMs), file);
}

/** Kong waits for a dump without a limit of its own, and requests for a plugin that loads, in milliseconds. */
const loadLimitMs = 30_000;

/** The values of a module, of either kind. */
async function importFile(file: string, limit: number): Promise<unknown> {
  try {
    if (/\.[jt]s$|\.c[jt]s$/.test(file)) return await requireFile(file, readFileSync(file, 'utf8'));
    return createRequire(pathToFileURL(file))(file);
  } catch (error) {
    if (!isAsyncModule(error)) throw await explained(file, error);
  }
  try {
    return await loadedWithin(limit, import(pathToFileURL(file).href));
  } catch (error) {
    throw await explained(file, error);
  }
}

/** Node's require loads ECMAScript modules as well, at once and without a detour over promises. */
async function requireFile(file: string, source: string): Promise<unknown> {
  const require = createRequire(pathToFileURL(file));
  const typeScript = /\.c?ts$/.test(file);
  const kongPdk = isKongPdkSource(source);
  if (!kongPdk) return require(file);
  const { checkImports, prepareRequire } = await import('./kong-pdk/require-typescript.ts');
  prepareRequire(file, typeScript);
  const loaded: unknown = require(file);
  checkImports();
  return loaded;
}

/** If nothing else keeps the process alive, its end comes sooner and means the same. */
async function loadedWithin(limitMs: number, loading: Promise<unknown>): Promise<unknown> {
  const loaded = await within(limitMs, loading, false);
  if (loaded !== late) return loaded;
  throw new Error(`its top-level await had not ended after ${String(limitMs / 1000)} s`);
}

/**
 * Modules that only a failure needs are read only then, because Kong waits for a plugin server's dump at each start.
 */
async function explained(file: string, error: unknown): Promise<KongTsError> {
  const { loadError } = await import('./load-error.ts');
  return loadError(file, error);
}

/** A module with a top-level await: only import() can load it. */
function isAsyncModule(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_REQUIRE_ASYNC_MODULE';
}

async function pluginOf(loaded: unknown, file: string): Promise<CompiledPlugin> {
  const exported = defaultExport(loaded);
  if (isCompiledPlugin(exported)) return exported;
  // kong-pdk looks at the exports themselves, whatever the default is.
  const kongPdk = [loaded, exported].find(isKongPdkModule);
  if (kongPdk !== undefined) {
    const { compileKongPdk } = await import('./kong-pdk/compile.ts');
    return compileKongPdk(kongPdk, file);
  }
  if (typeof exported === 'object' && exported !== null && ('name' in exported || 'setup' in exported)) {
    return compilePlugin(exported, `The plugin ${file}`);
  }
  throw new KongTsError(
    'PLUGIN_INVALID',
    `The plugin ${file} exports no plugin: ${describe(loaded, exported)}.`,
    {
      fix: 'Export one as the default: export default definePlugin({ name, version, ... }).',
    },
  );
}

function defaultExport(loaded: unknown): unknown {
  if (typeof loaded !== 'object' || loaded === null || !('default' in loaded)) return loaded;
  const outer: unknown = loaded.default;
  // CommonJS that a compiler made from an ES module: exports.default, once more below a module's default.
  return typeof outer === 'object' && outer !== null && '__esModule' in outer && 'default' in outer
    ? outer.default
    : outer;
}

function describe(loaded: unknown, exported: unknown): string {
  if (exported === loaded && typeof loaded === 'object' && loaded !== null) {
    const names = Object.keys(loaded);
    return names.length === 0 ? 'it has no exports' : `it has no default export, only ${names.join(', ')}`;
  }
  return `its default export is ${exported === null ? 'null' : `of type ${typeof exported}`} and no definition`;
}
