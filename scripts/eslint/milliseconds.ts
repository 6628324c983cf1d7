import type { Rule } from 'eslint';
import type { Comment, Node } from 'estree';

type Any = Readonly<Record<string, unknown>> & { readonly type: string };
const isNode = (value: unknown): value is Any =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

/** Names with an underscore are Kong's. */
const saysSo = /Ms$|^ms$|^milliseconds$|_/;
/** `AbortSignal.timeout(ms)` has the delay as its first argument, timers have it as their second. */
const delayAt: Readonly<Record<string, number>> = { setTimeout: 1, setInterval: 1, timeout: 0 };
const documented = /\bin milliseconds\b|(?:^|[.*]\s+|,\s)Milliseconds\b/;
/** A point in time has no unit in its name: `startedAt`, `since`, `now`. */
const pointInTime = /milliseconds (?:since|of a clock|of the|from a fixed)|since 1970|since the epoch/;
/** `@param` of milliseconds, and a parameter so called in a sentence. */
const parameter = /@param (\w+) [^@]*?milliseconds|`(\w+)` (?:milliseconds|ms)\b/g;

/** The names that a delay is made of; a difference of two points in time is a call or a subtraction, and has none. */
function namesIn(delay: unknown): Any[] {
  if (!isNode(delay)) return [];
  if (delay.type === 'Identifier' || delay.type === 'PrivateIdentifier') return [delay];
  if (delay.type === 'MemberExpression') return delay.computed === true ? [] : namesIn(delay.property);
  if (delay.type === 'ConditionalExpression') return [delay.consequent, delay.alternate].flatMap(namesIn);
  if (delay.type === 'BinaryExpression' && delay.operator === '+')
    return [delay.left, delay.right].flatMap(namesIn);
  if (delay.type === 'LogicalExpression') return [delay.left, delay.right].flatMap(namesIn);
  const isLimit = delay.type === 'CallExpression' && isNode(delay.callee) && isMathLimit(delay.callee);
  return isLimit ? (delay.arguments as unknown[]).flatMap(namesIn) : [];
}

const isMathLimit = ({ object, property }: Any): boolean =>
  isNode(object) && object.name === 'Math' && isNode(property) && /^(?:min|max)$/.test(String(property.name));

const nameOf = (key: unknown): string | null =>
  isNode(key) && /^(?:Private)?Identifier$/.test(key.type) ? String(key.name) : null;

/** `number`, `number | null`, `number | undefined`. */
function isNumber(annotation: unknown): boolean {
  if (!isNode(annotation)) return false;
  if (annotation.type === 'TSTypeAnnotation') return isNumber(annotation.typeAnnotation);
  if (annotation.type === 'TSUnionType') return (annotation.types as unknown[]).some(isNumber);
  return annotation.type === 'TSNumberKeyword';
}

const isNumeric = (value: unknown): boolean =>
  isNode(value) &&
  (typeof value.value === 'number' ||
    (value.type === 'BinaryExpression' && (isNumeric(value.left) || isNumeric(value.right))));

/**
 * A number of milliseconds says so in its name: what a timer is given, and what its own comment calls milliseconds.
 * Option `names`: names that users write, or that Kong does.
 */
export const milliseconds: Rule.RuleModule = {
  meta: {
    type: 'problem',
    schema: [
      {
        type: 'object',
        properties: { names: { type: 'array', items: { type: 'string' } } },
        additionalProperties: false,
      },
    ],
    messages: { unit: '{{name}} holds milliseconds: name it {{name}}Ms' },
  },
  create(context) {
    const [{ names = [] } = {}] = context.options as [{ readonly names?: readonly string[] }?];
    const check = (node: unknown, name: string | null): void => {
      if (name === null || saysSo.test(name) || names.includes(name)) return;
      context.report({ node: node as Rule.Node, messageId: 'unit', data: { name } });
    };
    const commentOf = (node: unknown): string => {
      const comment: Comment | undefined = context.sourceCode.getCommentsBefore(node as Node).at(-1);
      return comment?.value.replace(/\s*\n\s*\*?\s*/g, ' ') ?? '';
    };
    const checkDocumented = (node: unknown, commented: unknown, key: unknown, isNumeral: boolean): void => {
      const comment = isNumeral ? commentOf(commented) : '';
      if (documented.test(comment) && !pointInTime.test(comment)) check(node, nameOf(key));
    };
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          const text = comment.value.replace(/\s*\n\s*\*?\s*/g, ' ');
          for (const [sentence, param, word] of text.matchAll(parameter))
            if (!pointInTime.test(text.slice(text.indexOf(sentence)))) check(comment, param ?? word ?? null);
        }
      },
      CallExpression(node) {
        const { callee } = node as unknown as { callee: Any };
        const called = nameOf(callee.type === 'MemberExpression' ? callee.property : callee) ?? '';
        const at = Object.hasOwn(delayAt, called) ? delayAt[called] : undefined;
        if (at === undefined) return;
        // A socket's own `setTimeout(ms, done)` begins with the delay.
        const first = nameOf(node.arguments[0]);
        if (at === 1 && first !== null && saysSo.test(first)) return;
        for (const name of namesIn(node.arguments[at])) check(name, nameOf(name));
      },
      VariableDeclarator(node) {
        const { id, init, parent } = node as unknown as { id: Any; init: unknown; parent: Any };
        const statement = isNode(parent.parent) && parent.parent.type === 'ExportNamedDeclaration';
        checkDocumented(id, statement ? parent.parent : parent, id, isNumeric(init));
      },
      PropertyDefinition(node) {
        const { key, value, typeAnnotation } = node as unknown as Record<string, unknown>;
        checkDocumented(key, node, key, isNumber(typeAnnotation) || isNumeric(value));
      },
      TSPropertySignature(node: Rule.Node) {
        const { key, typeAnnotation } = node as unknown as Record<string, unknown>;
        checkDocumented(key, node, key, isNumber(typeAnnotation));
      },
    };
  },
};
