import path from 'node:path';
import { KongTsError } from '../../base/errors.ts';
import type { Phase } from '../../pdk/names/index.ts';
import { phases as allPhases } from '../../pdk/names/index.ts';
import { brand } from '../brand.ts';
import type { CompiledPlugin, InstanceInfo, PhaseHandler, PluginHandlers } from '../types.ts';
import { namesIn } from '../define.ts';
import { checkedSchema } from '../schema/compile.ts';
import { bridge } from './bridge.ts';
import { hiddenHandlers } from './hidden-handlers.ts';
import type { KongPdkModule } from './module.ts';

/**
 * Makes a plugin for kong-pdk one that the server runs, with kong-pdk's own ways: MsgPack:1, so that every function
 * works; an exception is logged and the request goes on; the configuration is what Kong sent, unchecked.
 *
 * @throws KongTsError PLUGIN_INVALID when the class has no handler or an attribute has the wrong type,
 *   PLUGIN_SCHEMA_UNSUPPORTED when Kong would refuse the Schema
 */
export function compileKongPdk(module: KongPdkModule, file: string): CompiledPlugin {
  const invalid: Invalid = (text, fix) =>
    new KongTsError('PLUGIN_INVALID', `The plugin ${file}: ${text}.`, { fix });
  const { Plugin, Name, Version, Priority = 0, Schema = [] } = module;
  const methods = Plugin.prototype as Partial<Record<string, unknown>>;
  const announced = allPhases.filter((phase) => typeof methods[phase] === 'function');
  if (announced.length === 0) {
    throw invalid('its class Plugin has no handler', `Give it at least one of ${allPhases.join(', ')}.`);
  }
  refuseHidden(
    hiddenHandlers(Plugin).filter((phase) => !announced.some((one) => one === phase)),
    invalid,
  );
  if (!Number.isSafeInteger(Priority)) {
    throw invalid(`Priority is ${JSON.stringify(Priority)}`, 'Kong takes an integer.');
  }
  if (!Array.isArray(Schema)) {
    throw invalid(
      'Schema is not an array',
      "Write it as a list of fields: [{ message: { type: 'string' } }].",
    );
  }
  const name = nameIn(Name ?? nameOf(file), Name === undefined ? "its file's name" : 'Name', invalid);
  if (Version !== undefined && typeof Version !== 'string') {
    throw invalid(`Version is ${JSON.stringify(Version)}`, 'Kong takes "x.y.z".');
  }
  return brand({
    name,
    version: Version ?? '0.0.0',
    priority: Priority,
    protocol: 'msgpack',
    phases: announced,
    schema: checkedSchema(name, {
      name,
      fields: [{ config: { type: 'record', required: true, fields: Schema } }],
    }),
    onError: 'continue',
    phaseTimeout: 30_000,
    readsInLog: namesIn(module.ReadsInLog, invalid),
    parseConfig: (raw) => raw ?? {},
    bindKong: bridge,
    setup: async ({ config, instance }) => {
      const plugin = new Plugin(withInstance(config, instance));
      // Members that a constructor sets show only now.
      refuseHidden(
        allPhases.filter((phase) => !announced.includes(phase) && Object.hasOwn(plugin, phase)),
        invalid,
      );
      return handlersOf(plugin, announced);
    },
  });
}

type Invalid = (text: string, fix: string) => KongTsError;

function refuseHidden(names: readonly string[], invalid: Invalid): void {
  if (names.length === 0) return;
  throw invalid(
    `its class Plugin has ${names.join(', ')}, but not as a method, so that Kong would never call it`,
    `Write it as a method of the class: async ${names[0] ?? 'access'}(kong) { ... }.`,
  );
}

/** A name stands in lists and in names of settings of kong.conf, so no character of it may end one of them. */
function nameIn(given: unknown, what: string, invalid: Invalid): string {
  if (typeof given === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(given)) return given.toLowerCase();
  throw invalid(
    `${what} is ${JSON.stringify(given)}`,
    'Kong takes letters, digits, "-" and "_": export Name, for example "my-plugin".',
  );
}

/** A file's name without its ending; a folder's where the file is its index. */
function nameOf(file: string): string {
  const { name, dir } = path.parse(file);
  return name === 'index' ? path.basename(dir) : name;
}

function handlersOf(plugin: object, announced: readonly Phase[]): PluginHandlers {
  const handlers: Partial<Record<Phase, PhaseHandler>> = {};
  for (const phase of announced) {
    handlers[phase] = (kong) => (plugin as Record<Phase, PhaseHandler>)[phase](kong, undefined);
  }
  return { phases: handlers, close: null };
}

/** Kong's own fields, which kong-pdk left in the configuration. */
function withInstance(config: unknown, instance: InstanceInfo): Record<string, unknown> {
  const own = {
    __plugin_id: instance.pluginId,
    __seq__: instance.seq,
    __key__: instance.key,
    __ws_id: instance.workspaceId,
    route_id: instance.routeId,
    service_id: instance.serviceId,
    consumer_id: instance.consumerId,
  };
  const present = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== null));
  return { ...(config as Record<string, unknown>), ...present };
}
