/** The fields of a handler's configuration, as the API's document describes them: a kind that is new has its form at once. */
export interface FieldSpec {
  readonly name: string;
  readonly shape: 'text' | 'number' | 'boolean' | 'choice' | 'map' | 'list' | 'json';
  readonly required: boolean;
  /** What the field has while it is not set. */
  readonly fallback: unknown;
  readonly choices: readonly string[];
  readonly description: string | undefined;
}

export interface HandlerSpec {
  readonly name: string;
  readonly fields: readonly FieldSpec[];
}

type Schema = Readonly<Record<string, unknown>>;
const asSchema = (value: unknown): Schema =>
  typeof value === 'object' && value !== null ? (value as Schema) : {};
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** @param document the OpenAPI document */
export function handlersOf(document: unknown): HandlerSpec[] {
  const { schemas } = asSchema(asSchema(document)['components']);
  const input = asSchema(asSchema(schemas)['HookInput']);
  return asList(input['oneOf']).map((kind) => {
    const { handler, config } = asSchema(asSchema(kind)['properties']);
    return { name: String(asSchema(handler)['const']), fields: fieldsOf(asSchema(config)) };
  });
}

function fieldsOf(config: Schema): FieldSpec[] {
  const required = asList(config['required']);
  return Object.entries(asSchema(config['properties'])).map(([name, described]) => {
    const outer = asSchema(described);
    const schema = withoutNull(outer);
    return {
      name,
      shape: shapeOf(schema),
      required: required.includes(name),
      fallback: outer['default'],
      choices: asList(schema['enum']).map(String),
      description: typeof outer['description'] === 'string' ? outer['description'] : undefined,
    };
  });
}

function shapeOf({ type, enum: choices, items, additionalProperties: members }: Schema): FieldSpec['shape'] {
  if (choices !== undefined) return 'choice';
  if (type === 'string') return 'text';
  if (type === 'boolean') return 'boolean';
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'array' && asSchema(items)['type'] === 'string') return 'list';
  if (type === 'object' && asSchema(members)['type'] === 'string') return 'map';
  return 'json';
}

function withoutNull(schema: Schema): Schema {
  const { anyOf, type } = schema;
  if (Array.isArray(anyOf)) {
    const others = anyOf.map(asSchema).filter((one) => one['type'] !== 'null');
    return others.length === 1 ? withoutNull(asSchema(others[0])) : {};
  }
  if (!Array.isArray(type)) return schema;
  const others = type.filter((one) => one !== 'null');
  return others.length === 1 ? { ...schema, type: others[0] } : {};
}
