import { parse } from 'acorn';
import { phases } from '../../pdk/names/index.ts';

/**
 * Handlers that kong-pdk does not see, because it looks at the methods of the class only: `access = async (kong) => ...`
 * and `static access()`. A plugin that has one beside others would run without it and let everybody in.
 *
 * @param plugin the class that a plugin exports; what it inherits is looked at as well
 */
export function hiddenHandlers(plugin: unknown): string[] {
  const found = new Set<string>();
  for (let one = plugin; typeof one === 'function'; one = Object.getPrototypeOf(one) as unknown) {
    for (const name of membersOf(Function.prototype.toString.call(one))) found.add(name);
  }
  return [...found].filter((name) => (phases as readonly string[]).includes(name));
}

/** The names of fields and static members in the text of a class. */
function membersOf(text: string): string[] {
  if (!text.startsWith('class')) return [];
  try {
    const [statement] = parse(`(${text})`, { ecmaVersion: 'latest' }).body;
    if (statement?.type !== 'ExpressionStatement' || statement.expression.type !== 'ClassExpression')
      return [];
    return statement.expression.body.body.flatMap((member) => {
      if (member.type === 'StaticBlock' || (member.type === 'MethodDefinition' && !member.static)) return [];
      if (member.key.type === 'Identifier' && !member.computed) return [member.key.name];
      return member.key.type === 'Literal' ? [String(member.key.value)] : [];
    });
  } catch {
    // Syntax that is newer than the parser.
    return [];
  }
}
