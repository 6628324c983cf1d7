import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** Which files a file imports, by path; types count, and `import()`, too. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** The graph of sources by their paths, with what they import of each other. */
export function graphOf(sources: ReadonlyMap<string, string>): ImportGraph {
  return new Map(
    [...sources].map(([file, text]) => {
      const found = ts.preProcessFile(text, true, false).importedFiles.map(({ fileName }) => fileName);
      const own = found.filter((name) => name.startsWith('.'));
      const paths = own.map((name) => path.posix.join(path.posix.dirname(file), name));
      return [file, [...new Set(paths)].filter((each) => sources.has(each))];
    }),
  );
}

/** The graph of the TypeScript files in some folders of a root. */
export function readGraph(root: string, folders: readonly string[]): ImportGraph {
  const files = globSync(
    folders.map((folder) => `${folder}/**/*.ts`),
    { cwd: root, exclude: (name) => name === 'node_modules' || name.endsWith('/node_modules') },
  );
  return graphOf(new Map(files.sort().map((file) => [file, readFileSync(path.join(root, file), 'utf8')])));
}

/** The shortest circle through each file that stands in one, each circle once, its first file by name in front. */
export function circlesOf(graph: ImportGraph): string[][] {
  const circles = new Map<string, string[]>();
  for (const file of inCircles(graph)) {
    const circle = shortestCircle(graph, file);
    if (circle === null) continue;
    const first = circle.indexOf([...circle].sort()[0] ?? file);
    const turned = [...circle.slice(first), ...circle.slice(0, first)];
    circles.set(turned.join(' '), turned);
  }
  return [...circles.values()];
}

/** Files that can stand in a circle: those that import something, again and again without those that cannot. */
function inCircles(graph: ImportGraph): Set<string> {
  const left = new Set(graph.keys());
  for (let before = -1; before !== left.size;) {
    before = left.size;
    for (const file of left) {
      if (!(graph.get(file) ?? []).some((other) => left.has(other))) left.delete(file);
    }
  }
  return left;
}

function shortestCircle(graph: ImportGraph, start: string): string[] | null {
  const from = new Map<string, string>();
  const queue = [start];
  for (const file of queue) {
    for (const other of graph.get(file) ?? []) {
      if (other === start) return wayTo(file, from, start);
      if (from.has(other)) continue;
      from.set(other, file);
      queue.push(other);
    }
  }
  return null;
}

function wayTo(file: string, from: ReadonlyMap<string, string>, start: string): string[] {
  const way = [file];
  for (let at = file; at !== start;) {
    at = from.get(at) ?? start;
    way.unshift(at);
  }
  return way;
}
