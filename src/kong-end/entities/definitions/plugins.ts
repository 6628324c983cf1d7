import type { FieldSchema, NamedField, SchemaDefinition } from '../../schema/index.ts';
import { autoTimestamp, foreign, headerName, pluginProtocols, tags, utf8Name, uuid } from '../typedefs.ts';
import type { KnownPlugin } from '../types.ts';
import type { EntityDefinition } from './kind.ts';

/** The plugins entity, with one subschema per plugin that the sandbox knows. */
export function pluginsDefinition(known: readonly KnownPlugin[]): EntityDefinition {
  const scope = (reference: string): FieldSchema =>
    foreign(reference, { default: null, on_delete: 'cascade' });
  return {
    name: 'plugins',
    endpointKey: 'instance_name',
    cacheKey: ['name', 'route', 'service', 'consumer'],
    subschema_key: 'name',
    subschema_error: "plugin '%s' not enabled; add it to the 'plugins' configuration property",
    subschemas: Object.fromEntries(known.map((plugin) => [plugin.name, pluginSchema(plugin)])),
    fields: [
      { id: uuid },
      { name: { type: 'string', required: true } },
      { instance_name: utf8Name },
      { created_at: autoTimestamp },
      { updated_at: autoTimestamp },
      { route: scope('routes') },
      { service: scope('services') },
      { consumer: scope('consumers') },
      { config: { type: 'record', abstract: true } },
      { protocols: pluginProtocols },
      { enabled: { type: 'boolean', required: true, default: true } },
      { tags },
    ],
  };
}

/** A plugin's schema as Kong completes it: records are required unless they say otherwise, protocols are added. */
export function pluginSchema(plugin: KnownPlugin): SchemaDefinition {
  const { schema } = plugin;
  const named = schema.fields as unknown as readonly NamedField[];
  const fields = named.map(requireRecords);
  if (!fields.some((field) => 'protocols' in field)) fields.unshift({ protocols: pluginProtocols });
  return { ...(schema as unknown as SchemaDefinition), name: plugin.name, fields };
}

function requireRecords(named: NamedField): NamedField {
  return Object.fromEntries(
    Object.entries(named).map(([name, field]) => {
      if (field.type !== 'record') return [name, field];
      return [
        name,
        { ...field, required: field.required ?? true, fields: (field.fields ?? []).map(requireRecords) },
      ];
    }),
  );
}

const flag = (value: boolean): FieldSchema => ({ type: 'boolean', required: true, default: value });

/** Kong's key-auth, which the sandbox carries itself. */
export const keyAuthPlugin: KnownPlugin = {
  name: 'key-auth',
  version: '3.9.3',
  priority: 1250,
  phases: ['access'],
  schema: {
    name: 'key-auth',
    fields: [
      { consumer: foreign('consumers', { eq: null }) },
      {
        protocols: {
          type: 'set',
          required: true,
          default: ['grpc', 'grpcs', 'http', 'https'],
          elements: { type: 'string', one_of: ['grpc', 'grpcs', 'http', 'https'] },
        },
      },
      {
        config: {
          type: 'record',
          fields: [
            { key_names: { type: 'array', required: true, elements: headerName, default: ['apikey'] } },
            { hide_credentials: flag(false) },
            { anonymous: { type: 'string' } },
            { key_in_header: flag(true) },
            { key_in_query: flag(true) },
            { key_in_body: flag(false) },
            { run_on_preflight: flag(true) },
            { realm: { type: 'string', required: false } },
          ],
        },
      },
    ],
  },
};
