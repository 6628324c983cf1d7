import { messageOf } from '../../base/errors.ts';
import { DeclarativeError, loadDeclarativeObject } from '../../kong-end/index.ts';
import type {
  ConfigSnapshot,
  ConsumerEntity,
  KnownPlugin,
  PluginEntity,
  RouteEntity,
  ServiceEntity,
} from '../../kong-end/index.ts';
import { KongTsError } from '../../base/errors.ts';
import type { EntityDescription, KongDescription } from '../description.ts';
import { misuse } from '../misuse.ts';

/** Kong's configuration for one described request. */
export interface KongSnapshot {
  readonly snapshot: ConfigSnapshot;
  readonly route: RouteEntity;
  readonly service: ServiceEntity | null;
  readonly consumer: ConsumerEntity | null;
}

const consumerName = 'test-consumer';

/**
 * Makes Kong's configuration from a description: entities with every default, validated as Kong does.
 * @throws KongTsError TEST_MISUSE naming the entity and the field
 */
export function snapshotOf(described: KongDescription, stream: boolean): KongSnapshot {
  const route = { name: 'test-route', ...matchesAll(described.route, stream), ...given(described.route) };
  const routes = [route];
  const service =
    described.service === null
      ? null
      : {
          name: 'test-service',
          host: 'upstream.test',
          ...(stream ? { protocol: 'tcp', port: 9000 } : {}),
          ...given(described.service),
          routes,
        };
  const consumer =
    described.consumer == null ? null : { username: consumerName, ...given(described.consumer) };
  const document = {
    _format_version: '3.0',
    ...(described.workspace === undefined ? {} : { _workspace: described.workspace }),
    ...(service === null ? { routes } : { services: [service] }),
    consumers: [...(consumer === null ? [] : [consumer]), ...(described.consumers ?? []).map(given)],
  };
  const snapshot = load(document);
  return {
    snapshot,
    route: snapshot.routes[0] as RouteEntity,
    service: snapshot.services[0] ?? null,
    consumer: consumer === null ? null : found(snapshot.consumers, consumer),
  };
}

/**
 * A plugin's entity as Kong stores it: the configuration validated against the plugin's schema, defaults filled in.
 * @throws KongTsError CONFIG_INVALID naming each field, in the words of Kong's Admin API
 */
export function pluginEntity(
  known: KnownPlugin,
  config: Readonly<Record<string, unknown>>,
  fields: { readonly id: string; readonly instance_name?: string },
): PluginEntity {
  try {
    const document = {
      _format_version: '3.0',
      plugins: [{ name: known.name, config: { ...config }, ...fields }],
    };
    return loadDeclarativeObject(document, [known]).snapshot().plugins[0] as PluginEntity;
  } catch (error) {
    if (!(error instanceof DeclarativeError)) throw error;
    const text = error.message.replace(/^[^:]*: /, '').replaceAll(/plugins\[0\](?: \('[^']*'\))?, /g, '');
    throw new KongTsError('CONFIG_INVALID', `Kong refuses the configuration of ${known.name}: ${text}`, {
      cause: error,
    });
  }
}

function load(document: Record<string, unknown>): ConfigSnapshot {
  try {
    return loadDeclarativeObject(document, [], { name: 'description', deck: true }).snapshot();
  } catch (error) {
    throw misuse(
      `The test describes entities that Kong would refuse: ${messageOf(error).replace(/^[^:]*: /, '')}`,
      "Their fields are those of Kong's Admin API.",
      error,
    );
  }
}

/** A description as a plain object of its own: lists may be read-only. */
function given(entity: EntityDescription<object> | null | undefined): Record<string, unknown> {
  return entity == null ? {} : (structuredClone(entity) as Record<string, unknown>);
}

/** A rule for a route that has none: Kong asks for at least one. */
function matchesAll(route: object | undefined, stream: boolean): Record<string, unknown> {
  if (stream) return { protocols: ['tcp'], destinations: [{ port: 9000 }] };
  const rules = ['paths', 'hosts', 'methods', 'headers', 'snis'];
  return route !== undefined && rules.some((field) => field in route) ? {} : { paths: ['/'] };
}

function found(consumers: readonly ConsumerEntity[], consumer: Record<string, unknown>): ConsumerEntity {
  const { id, username } = consumer;
  return consumers.find((each) => each.id === id || each.username === username) as ConsumerEntity;
}
