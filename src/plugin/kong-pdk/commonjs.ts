import module from 'node:module';
import type { Pattern } from 'acorn';
import { transform } from 'sucrase';
import { assignedFields } from './class-fields.ts';
import { namespaceCalls } from './namespace-calls.ts';
import type { NamespaceCall } from './namespace-calls.ts';
import { parseJavaScript } from './syntax.ts';

/** A name that a module takes from another one, checked once both are loaded. */
export interface ImportedName {
  /** As it is written: `./lib/tokens`. */
  readonly specifier: string;
  /** `default`, or a name among the exports. */
  readonly name: string;
  /** The name under which it is only passed on; null if it is used here. */
  readonly passedOnAs: string | null;
}

export interface CommonJs {
  readonly code: string;
  readonly imports: readonly ImportedName[];
  /** The targets of `import()` that are given as texts. */
  readonly later: readonly string[];
  readonly calls: readonly NamespaceCall[];
}

/**
 * TypeScript as CommonJS, as ts-node makes it for kong-pdk: Node's own transform takes types out and writes enums,
 * namespaces and parameter properties; classes get TypeScript's fields; sucrase turns imports and exports into require and
 * exports, with live bindings, and leaves out what is imported for its types only.
 *
 * @throws SyntaxError if the source is not TypeScript
 */
export function toCommonJs(source: string): CommonJs {
  const plain = assignedFields(withoutTypes(typesSaid(source)));
  const { code } = transform(listedExports(plain), {
    transforms: ['typescript', 'imports'],
    disableESTransforms: true,
  });
  return {
    code: code.replace(passedOnDefault, passOnDefault),
    imports: importedNames(code),
    later: [...code.matchAll(importedLater)].map(([, , specifier = '']) => specifier),
    calls: namespaceCalls(code),
  };
}

/** Braces with nothing but types in them, at an import or an export. */
const onlyTypes = /\b(import|export)(\s*\{)((?:\s*type\s+[\w$]+(?:\s+as\s+[\w$]+)?\s*,?)+\s*\}\s*from\b)/g;
const declaredConstant = /\bdeclare\s+const\s+enum\b/g;

/**
 * Handles two things that Node's transform does not see. It keeps an import whose names are all types, for its effects.
 * And it leaves out a declared constant enumeration, although TypeScript writes its values into the code.
 */
function typesSaid(source: string): string {
  return source
    .replace(
      onlyTypes,
      (_text, word: string, open: string, names: string) =>
        `${word} type${open}${names.replace(/\btype\s+(?!as\b)/g, '')}`,
    )
    .replace(declaredConstant, 'const enum');
}

function withoutTypes(source: string): string {
  const emitWarning = process.emitWarning.bind(process);
  // Node announces that the function is experimental, each time; the reader can do nothing about it.
  process.emitWarning = () => undefined;
  try {
    return module.stripTypeScriptTypes(source, { mode: 'transform' });
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Exports of several variables at once as a list at the end: sucrase sees the first name only. */
function listedExports(source: string): string {
  if (!/^[ \t]*export\s+(?:const|let|var)\b/m.test(source)) return source;
  const { body } = parseJavaScript(source);
  let result = source;
  for (const statement of body.reverse()) {
    if (statement.type !== 'ExportNamedDeclaration' || statement.declaration?.type !== 'VariableDeclaration')
      continue;
    const { declaration, start } = statement;
    const names = declaration.declarations.flatMap(({ id }) => namesIn(id));
    const list = `\nexport { ${names.join(', ')} };`;
    result = `${result.slice(0, start)}${result.slice(declaration.start)}${list}`;
  }
  return result;
}

function namesIn(pattern: Pattern): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((one) => namesIn(one.type === 'Property' ? one.value : one.argument));
    case 'ArrayPattern':
      return pattern.elements.flatMap((one) => (one === null ? [] : namesIn(one)));
    case 'AssignmentPattern':
      return namesIn(pattern.left);
    case 'RestElement':
      return namesIn(pattern.argument);
    case 'MemberExpression':
      return [];
  }
}

/** If the default of a CommonJS or JSON module is only passed on, sucrase looks for an export that does not exist. */
const passedOnDefault = /_createNamedExportFrom\((_[\w$]+), '([^']+)', 'default'\)/g;

function passOnDefault(_text: string, from: string, name: string): string {
  return `_createNamedExportFrom(${from}.__esModule ? ${from} : { default: ${from} }, '${name}', 'default')`;
}

/** As sucrase writes `import('./file')`. */
const importedLater = /\b_interopRequireWildcard\(require\((['"])(.*?)\1\)\)\)/g;

const required = /\bvar (_[\w$]+) = require\((['"])(.*?)\2\)/g;

/**
 * The names that the code uses of its required modules. sucrase's variables have names that the source does not have.
 */
function importedNames(code: string): ImportedName[] {
  return [...code.matchAll(required)].flatMap(([, variable = '', , specifier = '']) => {
    const escaped = variable.replaceAll('$', '\\$');
    const defaults = new RegExp(`\\bvar (_[\\w$]+) = _interopRequireDefault\\(${escaped}\\)`).exec(code);
    const names = new Set<string>(defaults === null ? [] : ['default']);
    const used = new RegExp(`(?<![\\p{ID_Continue}$.])${escaped}\\.([\\p{ID_Continue}$]+)`, 'gu');
    for (const [, name = ''] of code.matchAll(used)) names.add(name);
    const passedOn = new RegExp(`_createNamedExportFrom\\(${escaped}, '([^']+)', '([^']+)'\\)`, 'g');
    return [
      ...[...names].map((name) => ({ specifier, name, passedOnAs: null })),
      ...[...code.matchAll(passedOn)].map(([, as = '', name = '']) => ({ specifier, name, passedOnAs: as })),
    ];
  });
}
