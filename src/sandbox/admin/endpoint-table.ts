import type { Endpoint, Methods } from './types.ts';

export interface Match {
  readonly methods: Methods;
  readonly params: Readonly<Record<string, string>>;
}

interface Node {
  readonly fixed: Map<string, Node>;
  parameter?: Node;
  endpoint?: { methods: Methods; readonly names: readonly string[] };
}

/** Finds endpoints by path; fixed segments win over parameters. */
export class EndpointTable {
  readonly paths: string[] = [];
  readonly #root: Node = { fixed: new Map() };

  constructor(endpoints: Iterable<Endpoint>) {
    for (const endpoint of endpoints) this.#add(endpoint);
  }

  /** Adds an endpoint; its methods come on top of those the path has. */
  #add({ path, methods }: Endpoint): void {
    let node = this.#root;
    const names: string[] = [];
    for (const segment of path.split('/').filter((part) => part !== '')) {
      let next = segment.startsWith(':') ? node.parameter : node.fixed.get(segment);
      if (segment.startsWith(':')) names.push(segment.slice(1));
      if (next === undefined) {
        next = { fixed: new Map() };
        if (segment.startsWith(':')) node.parameter = next;
        else node.fixed.set(segment, next);
      }
      node = next;
    }
    if (node.endpoint === undefined) {
      this.paths.push(path);
      node.endpoint = { methods, names };
    } else node.endpoint.methods = { ...node.endpoint.methods, ...methods };
  }

  /** Whether any path starts with this segment. */
  startsWith(segment: string): boolean {
    return this.#root.fixed.has(segment);
  }

  find(segments: readonly string[]): Match | undefined {
    return search(this.#root, segments, 0, []);
  }
}

function search(
  node: Node,
  segments: readonly string[],
  at: number,
  values: readonly string[],
): Match | undefined {
  const segment = segments[at];
  if (segment === undefined) {
    if (node.endpoint === undefined) return undefined;
    const { methods, names } = node.endpoint;
    return { methods, params: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])) };
  }
  const fixed = node.fixed.get(segment);
  const match = fixed === undefined ? undefined : search(fixed, segments, at + 1, values);
  if (match !== undefined) return match;
  if (node.parameter === undefined || segment === '') return undefined;
  return search(node.parameter, segments, at + 1, [...values, segment]);
}
