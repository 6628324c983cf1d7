import type { FieldSchema, NamedField } from '../../kong-end/schema/index.ts';

/**
 * Values for the fields that a plugin's configuration cannot do without, so that a first kong.yml loads. A person changes them.
 *
 * @param fields of the record `config` in the plugin's schema
 */
export function sampleConfig(fields: readonly NamedField[]): Record<string, unknown> {
  const config: Record<string, unknown> = {};
  for (const named of fields)
    for (const [name, schema] of Object.entries<FieldSchema>(named))
      if (schema.required === true && (schema.default ?? null) === null) {
        const value = sampleOf(schema);
        if (value !== undefined) config[name] = value;
      }
  return config;
}

/** The fields of `config` in a plugin's schema. */
export function configFields(schema: unknown): readonly NamedField[] {
  const { fields = [] } = Object(schema) as { fields?: readonly NamedField[] };
  for (const named of fields) {
    const config = (named as Record<string, FieldSchema | undefined>)['config'];
    if (config !== undefined) return config.fields ?? [];
  }
  return [];
}

function sampleOf(schema: FieldSchema): unknown {
  if (Array.isArray(schema['one_of']) && schema['one_of'].length > 0) return schema['one_of'][0] as unknown;
  switch (schema.type) {
    case 'string':
      return text(schema);
    case 'integer':
    case 'number':
      return number(schema);
    case 'boolean':
      return true;
    case 'array':
    case 'set':
      return schema.elements === undefined ? [] : [sampleOf(schema.elements)];
    case 'map':
      return {};
    case 'record': {
      // Kong fills in a record that is left out from the defaults of its fields.
      const inner = sampleConfig(schema.fields ?? []);
      return Object.keys(inner).length === 0 ? undefined : inner;
    }
    default:
      return undefined;
  }
}

function number({ between, gt }: FieldSchema): number {
  if (Array.isArray(between) && typeof between[0] === 'number') return between[0];
  return typeof gt === 'number' ? gt + 1 : 1;
}

function text(schema: FieldSchema): string {
  const { starts_with: starts, len_min: least = 0, len_eq: exactly } = schema;
  if (typeof starts === 'string') return `${starts}example.com`;
  const sample = 'change-me';
  return typeof exactly === 'number'
    ? sample.padEnd(exactly, 'x').slice(0, exactly)
    : sample.padEnd(least, 'x');
}
