import { readFileSync, statSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { toCommonJs } from './commonjs.ts';
import type { CommonJs } from './commonjs.ts';
import { mainOf } from '../main-file.ts';

/**
 * `require` of TypeScript, as plugins for kong-pdk had it from ts-node: a path needs no ending, a folder has an index,
 * and every file outside of node_modules is turned into CommonJS. Import statements of ECMAScript modules are Node's.
 */

/** Endings that a required path may lack, in this order, after those that Node itself tries. */
const endings = ['.ts', '.tsx', '.cts'] as const;

/** Files that are loaded as CommonJS. */
const commonJs = new Set<string>();

/** The names that files loaded since the last check take from others. */
const unchecked: ({ readonly file: string } & Omit<CommonJs, 'code'>)[] = [];

let registered = false;

function register(): void {
  if (registered) return;
  registered = true;
  module.registerHooks({
    resolve(specifier, context, nextResolve) {
      const { parentURL, conditions } = context;
      if (!conditions.includes('require') || !isOwnCode(parentURL)) return nextResolve(specifier, context);
      const resolved = resolve(specifier, parentURL, () => nextResolve(specifier, context));
      // The loader itself requires a plugin, after it was decided whether the plugin is CommonJS.
      if (resolved.url !== parentURL && isTypeScript(resolved.url)) commonJs.add(resolved.url);
      return resolved;
    },
    load(url, context, nextLoad) {
      if (!commonJs.has(url)) return nextLoad(url, context);
      const file = fileURLToPath(url);
      const { code, ...rest } = transformed(file);
      unchecked.push({ file, ...rest });
      return { format: 'commonjs', source: code, shortCircuit: true };
    },
  });
}

function isOwnCode(url: string | undefined): url is string {
  return url?.startsWith('file:') === true && !url.includes('/node_modules/');
}

function isTypeScript(url: string): boolean {
  return isOwnCode(url) && endings.some((ending) => url.endsWith(ending)) && !url.endsWith('.d.ts');
}

type Resolved = ReturnType<module.ResolveHookSync>;

function resolve(specifier: string, parentURL: string, next: () => Resolved): Resolved {
  try {
    return next();
  } catch (error) {
    const file = /^(?:\.{0,2}\/|\.{1,2}$)/.test(specifier) ? typeScriptFile(specifier, parentURL) : null;
    if (file === null) throw error;
    return { url: pathToFileURL(file).href, format: 'commonjs', shortCircuit: true };
  }
}

/** The TypeScript file that a path without an ending means; `./a.js` may be `./a.ts` as well. */
function typeScriptFile(specifier: string, parentURL: string): string | null {
  const wanted = path.resolve(path.dirname(fileURLToPath(parentURL)), specifier);
  const candidates = [
    ...endings.map((ending) => wanted + ending),
    ...(/\.c?js$/.test(wanted) ? endings.map((ending) => wanted.replace(/\.c?js$/, '') + ending) : []),
    ...mainOf(wanted).flatMap((main) => ['', ...endings].map((ending) => main + ending)),
    ...endings.map((ending) => path.join(wanted, `index${ending}`)),
  ];
  return candidates.find((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true) ?? null;
}

function transformed(file: string): ReturnType<typeof toCommonJs> {
  try {
    return toCommonJs(readFileSync(file, 'utf8'));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new SyntaxError(`${file}: ${error.message}`, { cause: error });
  }
}

/** Lets a plugin, and what it requires, require TypeScript; `itself`: the plugin is such a file, too. */
export function prepareRequire(file: string, itself: boolean): void {
  register();
  unchecked.length = 0;
  if (itself) commonJs.add(pathToFileURL(file).href);
}

/**
 * Looks whether every name that the files loaded since the last time import is exported, and whether what they import
 * later (`import('./file')`) is there. In kong-pdk, a handler that calls a missing function lets the request through.
 * So a wrong name must not wait until then.
 *
 * @throws SyntaxError naming the file, the import and the name; what `require` throws for a file that is not there
 */
export function checkImports(): void {
  const empty = new Map<unknown, Set<string>>();
  // A file begins before the files that it imports. So the names that it passes on are known only after a look at
  // those.
  for (const { file, imports, later, calls } of unchecked.splice(0).reverse()) {
    const require = createRequire(pathToFileURL(file));
    for (const specifier of later) require.resolve(specifier);
    for (const { specifier, name } of calls) {
      // ts-node knows no more about other modules than about an `any`.
      if (!isTypeScript(pathToFileURL(require.resolve(specifier)).href)) continue;
      if (!has(require(specifier), name)) throw missing(file, specifier, name);
    }
    for (const { specifier, name, passedOnAs } of imports) {
      const found: unknown = require(specifier);
      if (has(found, name) && empty.get(found)?.has(name) !== true) continue;
      // It may be a type. ts-node does not pass on its name, and then nobody uses it.
      if (passedOnAs !== null) {
        const own: unknown = require(file);
        empty.set(own, (empty.get(own) ?? new Set()).add(passedOnAs));
        continue;
      }
      throw missing(file, specifier, name);
    }
  }
}

const missing = (file: string, specifier: string, name: string): SyntaxError =>
  new SyntaxError(`${file} imports "${name}" from "${specifier}", which exports no such name`);

/** A module that is not an ECMAScript module is its own default, as with esModuleInterop. */
function has(exported: unknown, name: string): boolean {
  const fields: object = Object(exported) as object;
  // Members that every object has are not exports: `constructor` would let everybody in.
  const isInherited =
    !Object.hasOwn(fields, name) && Reflect.get(fields, name) === Reflect.get(Object.prototype, name);
  return (name in fields && !isInherited) || (name === 'default' && !('__esModule' in fields));
}
