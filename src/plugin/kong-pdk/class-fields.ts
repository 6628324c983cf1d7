import type { Class, Expression, MethodDefinition, Node, PropertyDefinition, Statement } from 'acorn';
import { parseJavaScript, visit } from './syntax.ts';

/**
 * Fields of classes as ts-node has them for kong-pdk, where nobody sets `useDefineForClassFields`: a field that is only
 * declared leaves what its base class has set, and fields get their values after the parameter properties of the
 * constructor. JavaScript's own fields would be undefined there, and a handler that throws lets the request through.
 */

/** One replacement of a text by another. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The method that gives the fields their values, if they have to wait for the constructor's parameters. */
const methodName = '#kongTsFields';

/**
 * @param source JavaScript that a TypeScript source has become, its parameter properties assigned first in constructors
 * @throws SyntaxError if it does not parse
 */
export function assignedFields(source: string): string {
  let result = source;
  // A class within a class that is changed gets its turn in the next round.
  for (;;) {
    const edits = editsOf(result);
    if (edits.length === 0) return result;
    result = applied(result, edits);
  }
}

function editsOf(source: string): Edit[] {
  if (!/\bclass\b/.test(source)) return [];
  const edits: Edit[] = [];
  visit(parseJavaScript(source), (node) => {
    if (node.type !== 'ClassDeclaration' && node.type !== 'ClassExpression') return undefined;
    const own = editsOfClass(source, node as unknown as Class);
    edits.push(...own);
    return own.length === 0;
  });
  return edits;
}

function editsOfClass(source: string, found: Class): Edit[] {
  const fields = found.body.body.filter(isInstanceField);
  // A private field has to be declared; one whose name is computed is left as it is.
  const declared = fields.filter((field) => field.value == null && field.key.type !== 'PrivateIdentifier');
  const removed = declared.map(({ start, end }) => ({ start, end, text: '' }));
  const maker = found.body.body.find(isConstructor);
  const end = maker === undefined ? null : endOfParameters(maker, namesOf(declared));
  const late = fields.filter((field) => field.value != null);
  if (end === null || late.length === 0) return removed;
  const assignments = late.map(({ key, value }) => {
    const target = key.type === 'Identifier' || key.type === 'PrivateIdentifier' ? '.' : '[';
    const name = source.slice(key.start, key.end);
    const given = value == null ? 'undefined' : source.slice(value.start, value.end);
    return `this${target}${name}${target === '[' ? ']' : ''} = (${given});`;
  });
  return [
    ...removed,
    ...late.map((field) => ({
      start: field.start,
      end: field.end,
      text: field.key.type === 'PrivateIdentifier' ? `${source.slice(field.key.start, field.key.end)};` : '',
    })),
    { start: end, end, text: ` this.${methodName}();` },
    {
      start: found.body.end - 1,
      end: found.body.end - 1,
      text: `\n${methodName}() { ${assignments.join(' ')} }\n`,
    },
  ];
}

const isInstanceField = (member: Node): member is PropertyDefinition =>
  member.type === 'PropertyDefinition' &&
  !(member as PropertyDefinition).static &&
  !(member as PropertyDefinition).computed;

const isConstructor = (member: Node): member is MethodDefinition =>
  member.type === 'MethodDefinition' && (member as MethodDefinition).kind === 'constructor';

const namesOf = (fields: readonly PropertyDefinition[]): Set<string> =>
  new Set(fields.flatMap(({ key }) => (key.type === 'Identifier' ? [key.name] : [])));

/** The end of the first run of statements that assign parameter properties. Null if the constructor has none. */
function endOfParameters(maker: MethodDefinition, declared: ReadonlySet<string>): number | null {
  const parameters = new Set(
    maker.value.params.flatMap((each) => {
      const target = each.type === 'AssignmentPattern' ? each.left : each;
      return target.type === 'Identifier' && declared.has(target.name) ? [target.name] : [];
    }),
  );
  let end: number | null = null;
  for (const statement of maker.value.body.body) {
    const assigns = expressionsOf(statement).some((one) => assignsParameter(one, parameters));
    if (assigns) end = statement.end;
    else if (end !== null) break;
  }
  return end;
}

function expressionsOf(statement: Statement): readonly Expression[] {
  if (statement.type !== 'ExpressionStatement') return [];
  const { expression } = statement;
  return expression.type === 'SequenceExpression' ? expression.expressions : [expression];
}

/** `this.name = name` */
function assignsParameter(expression: Expression, parameters: ReadonlySet<string>): boolean {
  if (expression.type !== 'AssignmentExpression' || expression.left.type !== 'MemberExpression') return false;
  const { left, right } = expression;
  return (
    left.object.type === 'ThisExpression' &&
    left.property.type === 'Identifier' &&
    right.type === 'Identifier' &&
    left.property.name === right.name &&
    parameters.has(right.name)
  );
}

function applied(source: string, edits: readonly Edit[]): string {
  let result = '';
  let at = 0;
  for (const { start, end, text } of [...edits].sort((a, b) => a.start - b.start)) {
    result += source.slice(at, start) + text;
    at = end;
  }
  return result + source.slice(at);
}
