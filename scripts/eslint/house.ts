import path from 'node:path';
import type { ESLint, Rule } from 'eslint';
import { milliseconds } from './milliseconds.ts';

/** Where a file stands, from `src` on: its room, and its place in it; null outside of the rooms. */
function placeOf(cwd: string, file: string): { room: string; place: string } | null {
  const [src, room, ...rest] = path.relative(cwd, file).split(path.sep);
  return src === 'src' && room !== undefined && rest.length > 0 ? { room, place: rest.join('/') } : null;
}

type Specifier = Rule.Node & { value: string };

function isRelative(source: unknown): source is Specifier {
  return (
    typeof source === 'object' &&
    source !== null &&
    'value' in source &&
    typeof source.value === 'string' &&
    source.value.startsWith('.')
  );
}

/**
 * A room is entered by its doors, by `import()` as well.
 * Option: for each room its doors; a room that is not named has none.
 */
const doors: Rule.RuleModule = {
  meta: {
    type: 'problem',
    schema: [{ type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } }],
    messages: {
      past: '{{room}} is entered by {{doors}} (eslint.config.js, "doors"): let one of them export what is wanted',
      none: 'nobody enters {{room}} (eslint.config.js, "doors")',
    },
  },
  create(context) {
    const own = placeOf(context.cwd, context.filename);
    const [allowed = {}] = context.options as [Readonly<Record<string, readonly string[]>>?];
    const check = ({ source }: { source?: unknown }): void => {
      if (own === null || !isRelative(source)) return;
      const target = placeOf(context.cwd, path.resolve(path.dirname(context.filename), source.value));
      if (target === null || target.room === own.room) return;
      const { room, place } = target;
      const its = allowed[room] ?? [];
      if (its.includes(place) || (its.includes('*') && !place.includes('/'))) return;
      context.report({
        node: source,
        messageId: its.length === 0 ? 'none' : 'past',
        data: { room, doors: its.join(', ') },
      });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
    };
  },
};

/** A door only hands on: what it exports stands in files of its own. */
const doorOnly: Rule.RuleModule = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { more: 'index.ts is a door: it exports from other files, and has nothing of its own' },
  },
  create(context) {
    return {
      Program({ body }) {
        for (const node of body) {
          if (node.type === 'ExportAllDeclaration') continue;
          if (node.type === 'ExportNamedDeclaration' && node.source != null) continue;
          context.report({ node, messageId: 'more' });
        }
      },
    };
  },
};

const house: ESLint.Plugin = { rules: { doors, 'door-only': doorOnly, milliseconds } };
export default house;
