import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../base/errors.ts';
import { manifestOf, typeIn } from './manifest.ts';

/** Node's words for the reasons why a plugin file does not load, and how to mend each. */
const fixes: Record<string, string> = {
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING:
    'Node runs no TypeScript below node_modules: publish the package as JavaScript, or keep the plugin outside.',
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX:
    'Node runs TypeScript by taking the types out: use a const object in place of enum and namespace, and assign fields in place of parameter properties.',
  ERR_INVALID_TYPESCRIPT_SYNTAX: 'Correct the syntax of the file.',
  ERR_MODULE_NOT_FOUND: 'Install the missing package beside the plugin, or correct the path of the import.',
  MODULE_NOT_FOUND: 'Install the missing package beside the plugin, or correct the path of the import.',
  ERR_PACKAGE_PATH_NOT_EXPORTED: 'Import something that the package exports.',
  ERR_UNKNOWN_FILE_EXTENSION: 'A plugin is a .ts, .mts, .cts, .js, .mjs or .cjs file.',
  ERR_IMPORT_ATTRIBUTE_MISSING: "Write with { type: 'json' } after the import of a JSON file.",
};

/**
 * How to mend a plugin that does not load: the cure for this file and its folder, if they show it.
 *
 * @param file where the error is: the plugin's, or one that it imports
 */
export function hintFor(file: string, thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const syntax = thrown instanceof SyntaxError;
  return (
    moduleHint(file, thrown) ??
    pathHint(thrown) ??
    exportHint(thrown) ??
    fixes[code] ??
    (syntax ? 'Correct the syntax of the file.' : 'Correct the code that runs when the file is imported.')
  );
}

/** An ECMAScript module that is read as CommonJS, or the other way. */
function moduleHint(file: string, thrown: unknown): string | null {
  const text = messageOf(thrown);
  const manifest = manifestOf(file);
  const type = manifest === null ? null : typeIn(manifest);
  const named = (ending: string): string => path.basename(file).replace(/\.[cm]?([jt]s)$/, `.${ending}$1`);
  if (/(require|module|exports) is not defined in ES module scope/.test(text)) {
    return type === 'module'
      ? `The file is CommonJS, as plugins for kong-pdk are, and ${String(manifest)} says "type": "module": name it ${named('c')}.`
      : `The file mixes import or export with CommonJS: write import and export throughout, or name it ${named('c')} and use require() alone.`;
  }
  if (
    !/Cannot use import statement outside a module|Unexpected token 'export'|Cannot use 'import\.meta'/.test(
      text,
    )
  )
    return null;
  if (/\.c[jt]s$/.test(file))
    return `A file that uses import and export is no .cjs or .cts: name it ${named('m')}.`;
  const where = manifest === null ? 'a package.json beside the file' : manifest;
  const npm = type === 'commonjs' ? ' in place of "type": "commonjs", which npm init writes' : '';
  return `Write "type": "module" into ${where}${npm}; or name the file ${named('m')}.`;
}

/** `./helper` and `./helper.js` where the file is helper.ts: Node takes paths as they stand. */
function pathHint(thrown: unknown): string | null {
  const missing = missingFile(thrown);
  if (missing === null) return null;
  const { wanted, importer } = missing;
  const stem = wanted.replace(/\.[cm]?js$/, '');
  const found = [wanted, stem]
    .flatMap((base) =>
      ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '/index.ts', '/index.js'].map((end) => base + end),
    )
    .find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile() === true);
  if (found === undefined) return null;
  const write = path.relative(path.dirname(importer), found).replaceAll(path.sep, '/');
  return `Write the path with its ending, as Node takes it: ${write.startsWith('.') ? write : `./${write}`}.`;
}

function missingFile(thrown: unknown): { wanted: string; importer: string } | null {
  if (!(thrown instanceof Error) || !('code' in thrown)) return null;
  const [, name] = /^Cannot find module '([^']+)'/.exec(thrown.message) ?? [];
  if (name === undefined) return null;
  if (thrown.code === 'ERR_MODULE_NOT_FOUND') {
    const [, from = ''] = / imported from (.+)$/m.exec(thrown.message) ?? [];
    const importer = from.startsWith('file:') ? fileURLToPath(from) : from;
    return path.isAbsolute(name) && existsSync(importer) ? { wanted: name, importer } : null;
  }
  const stack = 'requireStack' in thrown && Array.isArray(thrown.requireStack) ? thrown.requireStack : [];
  const [importer] = stack as unknown[];
  if (typeof importer !== 'string' || !/^\.{0,2}\//.test(name)) return null;
  return { wanted: path.resolve(path.dirname(importer), name), importer };
}

/** A type is not an export once the types are taken out. */
function exportHint(thrown: unknown): string | null {
  const [, from, name] =
    /The requested module '(.+)' does not provide an export named '(.+)'/.exec(messageOf(thrown)) ?? [];
  if (name === undefined) return null;
  return `Correct the name; if ${name} is a type of ${String(from)}, write import type { ${name} }.`;
}
