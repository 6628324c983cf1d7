import module from 'node:module';
import { parse } from 'acorn';
import type { Pattern } from 'acorn';
import { transform } from 'sucrase';

/** A name that a module takes from another one, checked once both are loaded. */
export interface ImportedName {
  /** As it is written: `./lib/tokens`. */
  readonly specifier: string;
  /** `default`, or a name among the exports. */
  readonly name: string;
  /** The name that it is only passed on as; null where it is used here. */
  readonly passedOnAs: string | null;
}

export interface CommonJs {
  readonly code: string;
  readonly imports: readonly ImportedName[];
}

/**
 * TypeScript as CommonJS, as ts-node makes it for kong-pdk: Node's own transform takes types out and writes enums,
 * namespaces and parameter properties; sucrase turns imports and exports into require and exports, with live bindings,
 * and leaves out what is imported for its types only.
 *
 * @throws SyntaxError where the source is no TypeScript
 */
export function toCommonJs(source: string): CommonJs {
  const { code } = transform(listedExports(withoutTypes(source)), {
    transforms: ['typescript', 'imports'],
    disableESTransforms: true,
  });
  return { code: code.replace(passedOnDefault, passOnDefault), imports: importedNames(code) };
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
  const { body } = parse(source, {
    ecmaVersion: 'latest',
    sourceType: 'module',
    allowAwaitOutsideFunction: true,
    allowReturnOutsideFunction: true,
  });
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

/** sucrase takes the default of a CommonJS or JSON module for an export that it lacks when it is only passed on. */
const passedOnDefault = /_createNamedExportFrom\((_[\w$]+), '([^']+)', 'default'\)/g;

function passOnDefault(_text: string, from: string, name: string): string {
  return `_createNamedExportFrom(${from}.__esModule ? ${from} : { default: ${from} }, '${name}', 'default')`;
}

const required = /\bvar (_[\w$]+) = require\((['"])(.*?)\2\)/g;

/** The names that the code uses of what it requires; sucrase's variables have names that the source has not. */
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
