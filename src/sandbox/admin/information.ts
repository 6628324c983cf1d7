import { hostname } from 'node:os';
import { pluginSchema, schemaToJson, tagPage, violationMessage } from '../../kong-end/index.ts';
import type { SchemaDefinition } from '../../kong-end/index.ts';
import { listed, message, ok, unexpected } from './answers.ts';
import { paging } from './entities.ts';
import type { Answer, Context, Endpoint } from './types.ts';

/** What the gateway says about itself: `/`, `/status`, schemas, plugins, tags. `paths` are all endpoints. */
export function informationEndpoints(paths: () => readonly string[]): Endpoint[] {
  return [
    { path: '/', methods: { GET: root } },
    { path: '/status', methods: { GET: status } },
    { path: '/endpoints', methods: { GET: () => ok({ data: sortedPaths(paths()) }) } },
    {
      path: '/plugins/enabled',
      methods: { GET: ({ state }) => ok({ enabled_plugins: state.known.map(({ name }) => name) }) },
    },
    { path: '/schemas/:name', methods: { GET: entitySchema } },
    { path: '/schemas/plugins/:name', methods: { GET: pluginSchemaAnswer } },
    { path: '/schemas/plugins/validate', methods: { POST: (context) => validate(context, 'plugins') } },
    {
      path: '/schemas/:db_entity_name/validate',
      methods: { POST: (context) => validate(context, context.params['db_entity_name'] ?? '') },
    },
    { path: '/plugins/schema/:name', methods: { GET: pluginConfigSchema } },
    { path: '/tags', methods: { GET: tags } },
    { path: '/tags/:tags', methods: { GET: tags } },
  ];
}

/** Segment by segment, parameters in braces, as Kong lists them. */
function sortedPaths(paths: readonly string[]): string[] {
  const key = (path: string): string => path.replaceAll('/', '\0');
  return paths
    .map((path) => path.replace(/:([^/:]+)/g, '{$1}'))
    .sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function root({ state }: Context): Answer {
  // Measured: a worker that has started a plugin server cannot show itself, because the process does not fit into JSON.
  if (state.startsServers) return unexpected;
  const used = new Set<unknown>();
  for (const plugin of state.store.table('plugins').values()) used.add(plugin['name']);
  return ok({
    tagline: 'Welcome to kong',
    version: state.version,
    edition: state.workspaces ? 'enterprise' : 'community',
    hostname: hostname(),
    node_id: state.nodeId,
    timers: { running: 0, pending: 0 },
    plugins: {
      available_on_server: Object.fromEntries(
        state.known.map(({ name, version, priority }) => [name, { version, priority }]),
      ),
      enabled_in_cluster: [...used],
    },
    lua_version: 'LuaJIT 2.1.0-20231117.1',
    configuration: {
      database: state.readOnly ? 'off' : 'postgres',
      role: 'traditional',
      router_flavor: 'traditional_compatible',
      plugins: ['bundled', ...state.known.map(({ name }) => name)],
      loaded_plugins: Object.fromEntries(state.known.map(({ name }) => [name, true])),
      ...state.configuration,
    },
    pids: { master: process.pid, workers: state.workerPids() },
  });
}

const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(2)} MiB`;

function status({ state }: Context): Answer {
  const { heapUsed, rss } = process.memoryUsage();
  const shared = { allocated_slabs: mebibytes(heapUsed), capacity: mebibytes(rss) };
  return ok({
    server: {
      connections_active: 1,
      connections_reading: 0,
      connections_writing: 1,
      connections_waiting: 0,
      connections_accepted: state.requests,
      connections_handled: state.requests,
      total_requests: state.requests,
    },
    memory: {
      lua_shared_dicts: { kong: shared, kong_db_cache: shared },
      workers_lua_vms: state.workerPids().map((pid) => ({ pid, http_allocated_gc: mebibytes(heapUsed) })),
    },
    ...(state.readOnly
      ? { configuration_hash: state.store.snapshot().hash }
      : { database: { reachable: true } }),
  });
}

function entitySchema({ state, params }: Context): Answer {
  const name = params['name'] ?? '';
  const kind = state.store.registry.kinds.get(name);
  return kind === undefined ? message(404, `No entity named '${name}'`) : ok(schemaToJson(kind.definition));
}

function schemaOf({ state, params }: Context): SchemaDefinition | Answer {
  const name = params['name'] ?? '';
  const plugin = state.store.registry.plugins.get(name);
  return plugin === undefined ? message(404, `No plugin named '${name}'`) : pluginSchema(plugin);
}

function pluginSchemaAnswer(context: Context): Answer {
  const schema = schemaOf(context);
  return 'status' in schema ? schema : ok(schemaToJson(schema));
}

function pluginConfigSchema(context: Context): Answer {
  const schema = schemaOf(context);
  if ('status' in schema) return schema;
  const config = schema.fields.find((field) => 'config' in field)?.['config'];
  return ok(schemaToJson({ fields: config?.fields ?? [] }));
}

function validate(context: Context, name: string): Answer {
  const kind = context.state.store.registry.kinds.get(name);
  if (kind === undefined) return message(404, `No entity named '${name}'`);
  const result = kind.schema.process(context.body);
  if (result.errors === undefined) return ok({ message: 'schema validation successful' });
  return {
    status: 400,
    body: {
      code: 2,
      name: 'schema violation',
      message: violationMessage(result.errors),
      fields: result.errors,
    },
  };
}

function tags(context: Context): Answer {
  // Kong 3.9.3 raises there without a database.
  if (context.state.readOnly) return unexpected;
  const tag = context.params['tags'];
  const { data, offset } = tagPage(context.state.store, {
    ...paging(context),
    ...(tag === undefined ? {} : { tag }),
  });
  const size = context.query.get('size');
  if (tag !== undefined) return listed(context, data, offset, `/tags/${encodeURIComponent(tag)}`);
  return listed(context, data, offset, '/tags', size === null ? '' : `&size=${size}`);
}
