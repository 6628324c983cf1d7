import { isNode, parseJavaScript, visit } from './syntax.ts';
import type { AnyNode } from './syntax.ts';

/** A function of a whole module (`import * as lib`) that is called. */
export interface NamespaceCall {
  readonly specifier: string;
  readonly name: string;
}

/** As sucrase writes `import * as lib from './lib'`. */
const namespace =
  /\bvar (_[\w$]+) = require\((['"])(.*?)\2\); var ([\p{ID_Start}$_][\p{ID_Continue}$]*) = _interopRequireWildcard\(\1\);/gu;

/**
 * The functions that are called of modules which are imported whole. It leaves out a module whose name also stands for
 * something else, or as a value, because then nobody can tell which function is called.
 *
 * @param code sucrase's output
 */
export function namespaceCalls(code: string): NamespaceCall[] {
  const modules = new Map([...code.matchAll(namespace)].map(([, , , from = '', name = '']) => [name, from]));
  if (modules.size === 0) return [];
  const called = new Map<string, Set<string>>();
  const plain = new Set<unknown>();
  const unclear = new Set<string>();
  visit(parseJavaScript(code), (node) => {
    const { object, property } = node;
    if (node.type === 'CallExpression' && isMember(node['callee'], modules)) {
      const { object: of, property: name } = node['callee'] as { object: AnyNode; property: AnyNode };
      const names = called.get(String(of['name'])) ?? new Set();
      called.set(String(of['name']), names.add(String(name['name'])));
    }
    // Outer nodes come first. A name before a dot, or at the module's binding, is clear.
    if (isMember(node, modules)) plain.add(object).add(property);
    if (node.type === 'MemberExpression' && node['computed'] !== true) plain.add(property);
    if (node.type === 'VariableDeclarator' && isWildcard(node['init'])) plain.add(node['id']);
    if (node.type === 'Identifier' && !plain.has(node) && modules.has(String(node['name'])))
      unclear.add(String(node['name']));
    return undefined;
  });
  return [...called].flatMap(([name, names]) =>
    unclear.has(name) ? [] : [...names].map((one) => ({ specifier: modules.get(name) ?? '', name: one })),
  );
}

/** `lib.name` */
function isMember(node: unknown, modules: ReadonlyMap<string, string>): boolean {
  if (!isNode(node) || node.type !== 'MemberExpression' || node['computed'] === true) return false;
  const { object, property } = node;
  return (
    isNode(object) &&
    object.type === 'Identifier' &&
    modules.has(String(object['name'])) &&
    isNode(property) &&
    property.type === 'Identifier'
  );
}

const isWildcard = (node: unknown): boolean =>
  isNode(node) &&
  node.type === 'CallExpression' &&
  isNode(node['callee']) &&
  node['callee']['name'] === '_interopRequireWildcard';
