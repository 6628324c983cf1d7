import type { ConfigSnapshot, PluginEntity } from '../entities/types.ts';
import type { BoundPlugin, Exchange, PluginHandler } from './exchange.ts';

interface WorkspacePlugins {
  /** By plugin name, then by `route:service:consumer`. */
  readonly byName: Map<string, Map<string, BoundPlugin>>;
}

const httpProtocols = new Set(['http', 'https', 'grpc', 'grpcs', 'ws', 'wss']);

function combination(route?: string | null, service?: string | null, consumer?: string | null): string {
  return `${route ?? ''}:${service ?? ''}:${consumer ?? ''}`;
}

function subsystemsOf(entity: PluginEntity): Set<'http' | 'stream'> {
  return new Set(entity.protocols.map((protocol) => (httpProtocols.has(protocol) ? 'http' : 'stream')));
}

/** Which plugins run for an exchange: Kong's plugins iterator for one snapshot. */
export class PluginTable {
  readonly #handlers: readonly PluginHandler[];
  readonly #http = new Map<string, WorkspacePlugins>();
  readonly #stream = new Map<string, WorkspacePlugins>();
  readonly #bound = new Map<string, BoundPlugin>();
  readonly #entities: readonly PluginEntity[];
  readonly #defaultWorkspace: string;

  /**
   * @param previous the table before. If no plugin has been written since, its sequence numbers are kept. Otherwise
   * Kong reads all plugins anew and gives each a new number, and so a new instance, even if it has not changed (read in
   * Kong 3.9.3, `plugins_iterator.lua`)
   */
  constructor(
    snapshot: ConfigSnapshot,
    handlers: readonly PluginHandler[],
    previous: PluginTable | null,
    nextSequence: () => number,
  ) {
    this.#handlers = [...handlers].sort((a, b) => b.priority - a.priority || (a.name < b.name ? 1 : -1));
    const byName = new Map(handlers.map((handler) => [handler.name, handler]));
    this.#defaultWorkspace = defaultWorkspaceOf(snapshot);
    this.#entities = snapshot.plugins;
    const kept =
      previous !== null && previous.#entities === snapshot.plugins
        ? previous.#bound
        : new Map<string, BoundPlugin>();
    for (const entity of snapshot.plugins) {
      const handler = byName.get(entity.name);
      if (!entity.enabled || handler === undefined) continue;
      const plugin = kept.get(entity.id) ?? { entity, handler, seq: nextSequence(), key: keyOf(entity) };
      this.#bound.set(entity.id, plugin);
      for (const subsystem of subsystemsOf(entity)) this.#insert(this.#of(subsystem), plugin);
    }
    const ids = new Set(this.#bound.keys());
    for (const handler of handlers) handler.retain?.(ids);
  }

  #of(subsystem: 'http' | 'stream'): Map<string, WorkspacePlugins> {
    return subsystem === 'http' ? this.#http : this.#stream;
  }

  /** Plugins that run before the route is known: global ones of the default workspace. */
  globals(subsystem: 'http' | 'stream'): BoundPlugin[] {
    const workspace = this.#of(subsystem).get(this.#defaultWorkspace);
    if (workspace === undefined) return [];
    const found: BoundPlugin[] = [];
    for (const handler of this.#handlers) {
      const plugin = workspace.byName.get(handler.name)?.get(combination());
      if (plugin !== undefined) found.push(plugin);
    }
    return found;
  }

  /**
   * Walks through the plugins of a routed exchange in priority order. Each is looked up when its turn comes, so that a
   * consumer found by an earlier one counts.
   */
  *collect(exchange: Exchange): Generator<BoundPlugin> {
    const workspace = this.#of(exchange.subsystem).get(exchange.route?.ws_id ?? this.#defaultWorkspace);
    if (workspace === undefined) return;
    for (const handler of this.#handlers) {
      const combinations = workspace.byName.get(handler.name);
      if (combinations === undefined) continue;
      const plugin = lookup(combinations, exchange);
      if (plugin !== null) yield plugin;
    }
  }

  #insert(table: Map<string, WorkspacePlugins>, plugin: BoundPlugin): void {
    const { entity } = plugin;
    const workspaceId = entity.ws_id ?? this.#defaultWorkspace;
    let workspace = table.get(workspaceId);
    if (workspace === undefined) {
      workspace = { byName: new Map() };
      table.set(workspaceId, workspace);
    }
    let combinations = workspace.byName.get(entity.name);
    if (combinations === undefined) {
      combinations = new Map<string, BoundPlugin>();
      workspace.byName.set(entity.name, combinations);
    }
    const key = combination(entity.route?.id, entity.service?.id, entity.consumer?.id);
    if (!combinations.has(key)) combinations.set(key, plugin);
  }
}

/** Kong's order: whether route, service and consumer take part. */
const precedence: readonly (readonly [boolean, boolean, boolean])[] = [
  [true, true, true],
  [true, false, true],
  [false, true, true],
  [true, true, false],
  [false, false, true],
  [true, false, false],
  [false, true, false],
  [false, false, false],
];

/** The most specific configuration wins. */
function lookup(combinations: Map<string, BoundPlugin>, exchange: Exchange): BoundPlugin | null {
  const route = exchange.route?.id ?? null;
  const service = exchange.service?.id ?? null;
  const consumer = exchange.consumer?.id ?? null;
  for (const [withRoute, withService, withConsumer] of precedence) {
    if (
      (withRoute && route === null) ||
      (withService && service === null) ||
      (withConsumer && consumer === null)
    )
      continue;
    const found = combinations.get(
      combination(withRoute ? route : '', withService ? service : '', withConsumer ? consumer : ''),
    );
    if (found !== undefined) return found;
  }
  return null;
}

function keyOf(entity: PluginEntity): string {
  const scope = [entity.route?.id, entity.service?.id, entity.consumer?.id].map((id) => id ?? '');
  return `plugins:${entity.name}:${scope.join(':')}::${entity.ws_id ?? ''}`;
}

/** The workspace named `default`, or the first one. */
export function defaultWorkspaceOf(snapshot: ConfigSnapshot): string {
  const workspace = snapshot.workspaces.find((each) => each.name === 'default') ?? snapshot.workspaces[0];
  return workspace?.id ?? '';
}
