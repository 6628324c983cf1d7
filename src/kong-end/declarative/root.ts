import { compileSchema, isObject } from '../schema/index.ts';
import type { FieldErrors, NamedField, PlainObject } from '../schema/index.ts';
import type { Registry } from '../entities/index.ts';
import type { Problems } from './problems.ts';

/** What a file says about itself. */
export interface DeclarativeMeta {
  /** Name of the workspace that its entities live in. Default: `default`. */
  readonly workspace: string;
  /** decK: tags that all entities of the file get. */
  readonly selectTags: readonly string[];
  /** decK: defaults by singular name of the kind (`service`, `route`, ...). */
  readonly defaults: PlainObject;
  /** decK: plugin configurations that plugins name with `_config`. */
  readonly pluginConfigs: PlainObject;
}

const anything = { type: 'any' };
const metaFields: readonly NamedField[] = [
  { _format_version: { type: 'string', required: true, one_of: ['1.1', '2.1', '3.0'] } },
  { _transform: { type: 'boolean', default: true } },
  { _comment: { type: 'string' } },
  { _ignore: { type: 'array', elements: anything } },
  { _workspace: { type: 'string' } },
  {
    _info: {
      type: 'record',
      fields: [
        { select_tags: { type: 'array', elements: { type: 'string' } } },
        { defaults: { type: 'map', keys: { type: 'string' }, values: anything } },
      ],
    },
  },
  { _plugin_configs: { type: 'map', keys: { type: 'string' }, values: anything } },
];

/** Checks everything but the entities themselves, and brings files of older formats up to date. */
export function readRoot(data: PlainObject, registry: Registry, problems: Problems): DeclarativeMeta {
  const lists = [...registry.kinds.keys()].map((name) => ({
    [name]: { type: 'array', elements: anything },
  }));
  const errors: FieldErrors | undefined = compileSchema({ fields: [...metaFields, ...lists] }).validate(data);
  for (const [field, error] of Object.entries(errors ?? {})) problems.add([], { [field]: error });
  if (data['_format_version'] === '1.1' || data['_format_version'] === '2.1') migrateRoutes(data);
  const info = isObject(data['_info']) ? data['_info'] : {};
  return {
    workspace: typeof data['_workspace'] === 'string' ? data['_workspace'] : 'default',
    selectTags: Array.isArray(info['select_tags']) ? (info['select_tags'] as string[]) : [],
    defaults: isObject(info['defaults']) ? info['defaults'] : {},
    pluginConfigs: isObject(data['_plugin_configs']) ? data['_plugin_configs'] : {},
  };
}

/** Before format 3.0 a path with more than plain characters was a regular expression; since then it starts with `~`. */
function migrateRoutes(data: PlainObject): void {
  const objects = (value: unknown): PlainObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
  const nested = objects(data['services']).flatMap((service) => objects(service['routes']));
  for (const route of [...objects(data['routes']), ...nested]) {
    if (!Array.isArray(route['paths'])) continue;
    route['paths'] = (route['paths'] as unknown[]).map((path) =>
      typeof path === 'string' && !/^[a-zA-Z0-9.\-_~/%]*$/.test(path) ? `~${path}` : path,
    );
  }
}
