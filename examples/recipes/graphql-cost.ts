import { Kind, parse } from 'graphql';
import type { DocumentNode, FieldNode, FragmentDefinitionNode, SelectionSetNode } from 'graphql';
import { definePlugin, z } from 'kong-ts';

/** What the upstream gets. All other fields are dropped: it may read "Query" as well. */
const request = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
  extensions: z.record(z.string(), z.unknown()).nullish(),
});

const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };

/** Numbers that JavaScript cannot hold stay as they were written. */
function read(text: string): unknown {
  const keep = (_key: string, value: unknown, { source = '' }: { source?: string }): unknown =>
    typeof value === 'number' && String(value) !== source ? rawJSON(source) : value;
  return JSON.parse(text, keep as (key: string, value: unknown) => unknown);
}

/** Arguments that say how many items a list has. */
const sizes = ['first', 'last', 'limit'];

/** Adds up the fields of a document. The fields of a list count once for each item that is asked for. */
class Costs {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #variables: Record<string, unknown>;
  readonly #most: number;
  readonly #maxDepth: number;

  constructor(document: DocumentNode, variables: Record<string, unknown>, most: number, maxDepth: number) {
    const fragments = document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION);
    this.#fragments = new Map(fragments.map((one) => [one.name.value, one]));
    this.#variables = variables;
    this.#most = most;
    this.#maxDepth = maxDepth;
  }

  /** @throws when it is too deep or more than allowed: a bomb of fragments is not counted to its end */
  of({ selections }: SelectionSetNode, depth: number, before: number): number {
    if (depth > this.#maxDepth) throw new Error(`it is deeper than ${String(this.#maxDepth)}`);
    let cost = 0;
    for (const one of selections) {
      if (one.kind === Kind.FIELD) {
        const below =
          one.selectionSet === undefined ? 0 : this.of(one.selectionSet, depth + 1, before + cost + 1);
        cost += 1 + this.#count(one) * below;
      } else {
        const inner =
          one.kind === Kind.INLINE_FRAGMENT
            ? one.selectionSet
            : this.#fragments.get(one.name.value)?.selectionSet;
        if (inner === undefined) throw new Error('it names a fragment that it does not have');
        cost += 1 + this.of(inner, depth + 1, before + cost);
      }
      if (!(before + cost <= this.#most)) throw new Error(`it costs more than ${String(this.#most)}`);
    }
    return cost;
  }

  #count({ arguments: given = [] }: FieldNode): number {
    const counts = given
      .filter(({ name }) => sizes.includes(name.value))
      .map(({ value }) =>
        value.kind === Kind.INT
          ? Number(value.value)
          : value.kind === Kind.VARIABLE
            ? this.#variables[value.name.value]
            : null,
      )
      .map((count) => (typeof count === 'number' ? count : this.#most));
    const count = Math.max(1, ...counts);
    return Number.isFinite(count) ? count : this.#most;
  }
}

/** Refuses GraphQL queries that ask for too much. What it cannot read does not reach the upstream. */
export default definePlugin({
  name: 'graphql-cost',
  version: '1.0.0',
  priority: 902,
  config: z.object({
    max_cost: z.number().int().min(1).default(1000),
    max_depth: z.number().int().min(1).max(50).default(10),
    max_bytes: z.number().int().min(1).default(65_536),
  }),

  async access(kong, config) {
    const [method, type, encoding, query, length] = await Promise.all([
      kong.request.getMethod(),
      kong.request.getHeader('content-type'),
      kong.request.getHeader('content-encoding'),
      kong.request.getRawQuery(),
      kong.request.getHeader('content-length'),
    ]);
    // GET could carry a second query, and batches and other types would need rules of their own.
    if (method !== 'POST' || query !== '' || encoding !== null || !/^application\/json\b/i.test(type ?? ''))
      return kong.response.exit(400, { errors: [{ message: 'Send one query as JSON with POST' }] });
    if (Number(length ?? 0) > config.max_bytes)
      return kong.response.exit(413, { errors: [{ message: 'The query is too long' }] });
    const raw = await kong.request.getRawBody(config.max_bytes);
    // A body that comes in chunks has no Content-Length.
    if (raw.length > config.max_bytes)
      return kong.response.exit(413, { errors: [{ message: 'The query is too long' }] });
    let body: z.output<typeof request>;
    let cost = 0;
    try {
      body = request.parse(read(raw.toString('utf8')));
      const document = parse(body.query, { maxTokens: 5000, noLocation: true });
      const costs = new Costs(document, body.variables ?? {}, config.max_cost, config.max_depth);
      for (const one of document.definitions)
        if (one.kind === Kind.OPERATION_DEFINITION) cost += costs.of(one.selectionSet, 1, cost);
    } catch (error) {
      const message =
        error instanceof z.ZodError ? 'The body is not a GraphQL request' : (error as Error).message;
      return kong.response.exit(400, { errors: [{ message: `The query is refused: ${message}` }] });
    }
    // Written anew: a second "query" in the body would be the upstream's choice.
    await kong.service.request.setHeader('content-type', 'application/json');
    await kong.service.request.setRawBody(JSON.stringify(body));
    await kong.response.setHeader('x-graphql-cost', String(cost));
  },
});
