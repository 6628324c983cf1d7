export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a field holds. */
export interface FormField {
  /** `any`: more than one type, or a type that text cannot express. */
  readonly type: 'text' | 'boolean' | 'number' | 'integer' | 'any';
  /** A map's members have names of the user's choice, a list's have none. */
  readonly shape: 'one' | 'list' | 'map';
}

/** The fields of hooks with their dotted paths (`config.url`), as the schemas of the kinds of handler have them. */
export class FormFields {
  readonly #all = new Map<string, FormField>();
  readonly #byHandler = new Map<string, ReadonlyMap<string, FormField>>();

  /** @param schemas of hooks, by the name of their handler */
  constructor(schemas: ReadonlyMap<string, JsonSchema> = new Map()) {
    for (const [handler, schema] of schemas) {
      const fields = new Map(fieldsOf(schema, ''));
      this.#byHandler.set(handler, fields);
      for (const [path, field] of fields) {
        const other = this.#all.get(path) ?? field;
        const same = other.type === field.type && other.shape === field.shape;
        // If kinds differ and no kind is named, text stays text.
        this.#all.set(path, same ? field : { type: 'text', shape: 'one' });
      }
    }
  }

  /** The fields of one kind's hooks, or of every kind's if the name is unknown. */
  of(handler: unknown): ReadonlyMap<string, FormField> {
    return (typeof handler === 'string' ? this.#byHandler.get(handler) : undefined) ?? this.#all;
  }
}

const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;

function fieldsOf(schema: JsonSchema, path: string): [string, FormField][] {
  const { properties } = withoutNull(schema);
  if (!isSchema(properties)) return [[path, fieldOf(schema)]];
  return Object.entries(properties).flatMap(([name, member]) =>
    isSchema(member) ? fieldsOf(member, path === '' ? name : `${path}.${name}`) : [],
  );
}

function fieldOf(schema: JsonSchema): FormField {
  const { type, items, additionalProperties: members } = withoutNull(schema);
  if (type === 'array') return { type: typeOf(items), shape: 'list' };
  if (type === 'object') return { type: typeOf(members), shape: 'map' };
  return { type: typeOf(schema), shape: 'one' };
}

function typeOf(schema: unknown): FormField['type'] {
  const { type } = isSchema(schema) ? withoutNull(schema) : {};
  if (type === 'string') return 'text';
  return type === 'boolean' || type === 'number' || type === 'integer' ? type : 'any';
}

/** The schema for values other than null. */
function withoutNull(schema: JsonSchema): JsonSchema {
  const { anyOf, type } = schema;
  if (Array.isArray(anyOf)) {
    const [only, ...more] = anyOf.filter((one) => isSchema(one) && one.type !== 'null') as JsonSchema[];
    return more.length === 0 && only !== undefined ? withoutNull(only) : {};
  }
  if (!Array.isArray(type)) return schema;
  const [only, ...more] = type.filter((one) => one !== 'null') as string[];
  return more.length === 0 && only !== undefined ? { ...schema, type: only } : {};
}
