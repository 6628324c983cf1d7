import { readFileSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';

/**
 * kong-pdk ran TypeScript through ts-node: a file may import as an ES module does and export with `module.exports`,
 * and use enums. Node takes such a file for an ES module, in which there is no `module`.
 */
export function isCommonJsTypeScript(file: string): boolean {
  return /\.ts$/.test(file) && /^\s*module\.exports\s*=/m.test(readFileSync(file, 'utf8'));
}

/** Runs such a file as CommonJS and gives its module.exports. */
export function loadCommonJsTypeScript(file: string): unknown {
  const source = requiresForImports(stripTypes(readFileSync(file, 'utf8')));
  const parameters = ['exports', 'require', 'module', '__filename', '__dirname', '__import'];
  const run = compileFunction(source, parameters, { filename: file }) as (...args: unknown[]) => void;
  const require = createRequire(pathToFileURL(file));
  const container: { exports: unknown } = { exports: {} };
  run(container.exports, require, container, file, path.dirname(file), (specifier: string) =>
    requireUnlessTypes(require, specifier),
  );
  return container.exports;
}

function stripTypes(source: string): string {
  const emitWarning = process.emitWarning.bind(process);
  // Node announces that the function is experimental, each time; the reader can do nothing about it.
  process.emitWarning = () => undefined;
  try {
    return module.stripTypeScriptTypes(source, { mode: 'transform' });
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** A module that exists for its types only (`kong-pdk/kong`) has no JavaScript: it is an empty object. */
function requireUnlessTypes(require: NodeJS.Require, specifier: string): unknown {
  try {
    const loaded: unknown = require(specifier);
    return typeof loaded === 'object' && loaded !== null && !('default' in loaded)
      ? { ...loaded, default: loaded }
      : typeof loaded === 'function'
        ? Object.assign(loaded, { default: loaded })
        : loaded;
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND';
    if (missing && error.message.includes(`'${specifier}'`)) return {};
    throw error;
  }
}

const importLine =
  /^[ \t]*import\s+(?:(?<name>[\w$]+)\s*,?\s*)?(?:\*\s*as\s+(?<all>[\w$]+)|\{(?<named>[^}]*)\})?\s*(?:from\s*)?(?<specifier>"[^"\n]*"|'[^'\n]*')\s*;?/gm;

function requiresForImports(source: string): string {
  return source.replace(importLine, (...match: unknown[]) => {
    const { name, all, named, specifier } = match.at(-1) as Record<string, string | undefined>;
    const loaded = `__import(${specifier ?? ''})`;
    const parts = [
      ...(name === undefined ? [] : [`default: ${name}`]),
      ...(named ?? '')
        .split(',')
        .map((part) => part.trim().replace(/\s+as\s+/, ': '))
        .filter((part) => part !== ''),
    ];
    const statements = [
      ...(all === undefined ? [] : [`const ${all} = ${loaded};`]),
      ...(parts.length === 0 ? [] : [`const { ${parts.join(', ')} } = ${loaded};`]),
    ];
    return statements.length === 0 ? `${loaded};` : statements.join(' ');
  });
}
