/** One field that is to change: a dotted path, what is there (undefined: nothing) and what is wanted. */
export interface Difference {
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field of a schema as Kong describes it, as far as comparing needs it. */
export interface Field {
  readonly type?: unknown;
  /** Records (and a schema itself): maps of one name to one field. */
  readonly fields?: unknown;
  /** Arrays and sets. */
  readonly elements?: unknown;
  /** Maps. */
  readonly values?: unknown;
}

const asField = (value: unknown): Field => (isRecord(value) ? value : {});

function fieldOf(record: Field, name: string): Field {
  const all: unknown[] = Array.isArray(record.fields) ? record.fields : [];
  return asField(all.filter(isRecord).find((one) => Object.hasOwn(one, name))?.[name]);
}

/**
 * What has to change in `there` so that everything in `wanted` holds. Fields of records that `wanted` does not name
 * stay. Maps and lists have to be equal as a whole, except for defaults that Kong has filled into records in them.
 * @param field the schema; without it maps are taken for records
 */
export function differences(there: unknown, wanted: unknown, field: Field = {}, path = ''): Difference[] {
  if (isRecord(wanted) && field.type !== 'map') {
    const from = isRecord(there) ? there : {};
    return Object.entries(wanted).flatMap(([key, value]) =>
      differences(from[key], value, fieldOf(field, key), path === '' ? key : `${path}.${key}`),
    );
  }
  return holds(there, wanted, field) ? [] : [{ path, from: there, to: wanted }];
}

function holds(there: unknown, wanted: unknown, field: Field): boolean {
  // An empty Lua table may have become an object or a list.
  if (isEmpty(there) && isEmpty(wanted)) return true;
  if (Array.isArray(wanted)) {
    const elements = asField(field.elements);
    return (
      Array.isArray(there) &&
      there.length === wanted.length &&
      wanted.every((value, index) => holds(there[index], value, elements))
    );
  }
  // Kong shows null where nothing is set.
  if (!isRecord(wanted)) return JSON.stringify(there ?? null) === JSON.stringify(wanted ?? null);
  if (!isRecord(there)) return false;
  if (field.type !== 'map') return differences(there, wanted, field).length === 0;
  const values = asField(field.values);
  return (
    Object.keys(there).length === Object.keys(wanted).length &&
    Object.entries(wanted).every(
      ([key, value]) => Object.hasOwn(there, key) && holds(there[key], value, values),
    )
  );
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/** The differences as lines for a person: `config.timeout: 10000 -> 5000`. */
export function describeDifferences(all: readonly Difference[]): string[] {
  const show = (value: unknown): string => (value === undefined ? 'unset' : JSON.stringify(value));
  return all.map(({ path, from, to }) => `${path}: ${show(from)} -> ${show(to)}`);
}
