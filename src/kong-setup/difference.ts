/** One field that is to change: a dotted path, what is there (undefined: nothing) and what is wanted. */
export interface Difference {
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What has to change in `there` so that everything in `wanted` holds; fields that `wanted` does not name stay. */
export function differences(there: unknown, wanted: unknown, path = ''): Difference[] {
  if (isRecord(wanted)) {
    const from = isRecord(there) ? there : {};
    return Object.entries(wanted).flatMap(([key, value]) =>
      differences(from[key], value, path === '' ? key : `${path}.${key}`),
    );
  }
  return same(there, wanted) ? [] : [{ path, from: there, to: wanted }];
}

/** Kong shows null where nothing is set, and sets where lists were given: absent is null, and lists compare by content. */
function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

/** The differences as lines for a person: `config.timeout: 10000 -> 5000`. */
export function describeDifferences(all: readonly Difference[]): string[] {
  const show = (value: unknown): string => (value === undefined ? 'unset' : JSON.stringify(value));
  return all.map(({ path, from, to }) => `${path}: ${show(from)} -> ${show(to)}`);
}
