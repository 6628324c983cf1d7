import type { Buffer } from 'node:buffer';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { CompiledPlugin, InstanceInfo } from '../../plugin/index.ts';
import { decodeText } from '../../base/text.ts';

type Json = Record<string, unknown>;

/** What Kong's JSON at StartInstance says. */
export interface ParsedConfiguration {
  /** The plugin's own fields. */
  readonly config: Json;
  readonly info: InstanceInfo;
  /** Everything as Kong sent it. */
  readonly raw: Json;
  /** The same for every instance of one configuration, whatever the order of its fields and its `__seq__`. */
  readonly identity: string;
}

const kongFields = ['__plugin_id', '__ws_id', '__seq__', '__key__'] as const;
const scopeFields = ['route_id', 'service_id', 'consumer_id'] as const;

/**
 * Takes the configuration apart: Kong adds `__plugin_id`, `__seq__`, `__key__`, `__ws_id` and, where the plugin is
 * scoped, `route_id`, `service_id` and `consumer_id` (measured on Kong 3.9.3). None of them reaches the plugin's
 * configuration, unless its schema has a field of that name.
 * @throws KongTsError CONFIG_INVALID
 */
export function parseConfiguration(plugin: CompiledPlugin, bytes: Buffer): ParsedConfiguration {
  const raw = parseObject(plugin.name, bytes);
  const own = declaredFields(plugin);
  const config = { ...raw };
  for (const field of kongFields) delete config[field];
  for (const field of scopeFields) if (!own.has(field)) delete config[field];
  const info: InstanceInfo = {
    pluginId: textOrNull(raw['__plugin_id']),
    workspaceId: textOrNull(raw['__ws_id']),
    routeId: textOrNull(raw['route_id']),
    serviceId: textOrNull(raw['service_id']),
    consumerId: textOrNull(raw['consumer_id']),
    seq: typeof raw['__seq__'] === 'number' ? raw['__seq__'] : null,
    key: textOrNull(raw['__key__']),
  };
  const same = { ...raw };
  delete same['__seq__'];
  return { config, info, raw, identity: `${plugin.name}\n${canonical(same)}` };
}

function parseObject(name: string, bytes: Buffer): Json {
  let value: unknown;
  try {
    value = JSON.parse(decodeText(bytes));
  } catch (error) {
    throw new KongTsError(
      'CONFIG_INVALID',
      `The configuration of ${name} is not JSON: ${messageOf(error)}.`,
      {
        cause: error,
      },
    );
  }
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Json;
  throw new KongTsError('CONFIG_INVALID', `The configuration of ${name} is not a JSON object.`);
}

/** Names of the fields in the plugin's `config` record. */
function declaredFields(plugin: CompiledPlugin): Set<string> {
  const names = new Set<string>();
  for (const field of plugin.schema.fields) {
    const inner = field['config']?.['fields'];
    if (!Array.isArray(inner)) continue;
    for (const each of inner) for (const name of Object.keys(Object(each) as object)) names.add(name);
  }
  return names;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** JSON with the keys of every object in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, each: unknown) => {
    if (each === null || typeof each !== 'object' || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
