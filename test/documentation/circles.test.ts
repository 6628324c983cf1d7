import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { circlesOf, graphOf, readGraph } from '../support/import-graph.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a person reads who has made circles. */
const advice = (circles: readonly string[][]): string =>
  [
    'Files import each other in a circle. Move what both sides need (types count, too) into the one that stands below,',
    'or into a file of its own; where one side only calls the other back, let it take an interface or a function.',
    ...circles.map((circle) => `  ${[...circle, circle[0] ?? ''].join(' -> ')}`),
  ].join('\n');

describe('the import graph', () => {
  it('has no circle, by types neither', () => {
    const circles = circlesOf(readGraph(root, ['src', 'plugins', 'scripts', 'bench']));
    expect(circles, advice(circles)).toEqual([]);
  });

  it('is read from every kind of import', () => {
    const kinds = {
      value: "import { b } from './b.ts';",
      type: "import type { B } from './b.ts';",
      inlineType: "import { type B } from './b.ts';",
      effect: "import './b.ts';",
      reexport: "export { b } from './b.ts';",
      typeReexport: "export type { B } from './b.ts';",
      dynamic: "await import('./b.ts');",
      typeOf: "type B = import('./b.ts').B;",
    };
    for (const [kind, line] of Object.entries(kinds)) {
      const graph = graphOf(
        new Map([
          ['x/a.ts', line],
          ['x/b.ts', ''],
        ]),
      );
      expect(graph.get('x/a.ts'), kind).toEqual(['x/b.ts']);
    }
  });

  it('shows each circle once, with its files in order', () => {
    const sources = new Map([
      ['src/a.ts', "import type { B } from './b.ts'; import { d } from './d.ts';"],
      ['src/b.ts', "export * from './c/c.ts';"],
      ['src/c/c.ts', "const a = () => import('../a.ts');"],
      ['src/d.ts', "import fs from 'node:fs'; import ts from 'typescript';"],
      ['src/e.ts', "import { a } from './a.ts';"],
    ]);
    const circles = circlesOf(graphOf(sources));
    expect(circles).toEqual([['src/a.ts', 'src/b.ts', 'src/c/c.ts']]);
    expect(advice(circles)).toContain('src/a.ts -> src/b.ts -> src/c/c.ts -> src/a.ts');
  });
});
