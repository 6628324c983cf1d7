import type { PlainObject } from '../schema/index.ts';
import { entityErrors } from './errors.ts';
import type { MutableEntityStore } from './store.ts';
import { foreignId } from './table.ts';

/** If a route or service names its protocols, a plugin on it has to share one of them. */
export function checkPluginProtocols(store: MutableEntityStore, plugin: PlainObject): void {
  const { protocols } = plugin;
  if (!Array.isArray(protocols)) return;
  const shares = (route: PlainObject | undefined): boolean =>
    !Array.isArray(route?.['protocols']) ||
    (route['protocols'] as unknown[]).some((protocol) => protocols.includes(protocol));

  const routes = store.table('routes');
  const routeId = foreignId(plugin, 'route');
  if (routeId !== undefined) {
    if (shares(routes.get(routeId))) return;
    throw entityErrors.schemaViolation({ protocols: "must match the associated route's protocols" });
  }
  const serviceId = foreignId(plugin, 'service');
  if (serviceId === undefined) return;
  const ids = routes.idsByParent('service', serviceId);
  if (ids.length === 0 || ids.some((id) => shares(routes.get(id)))) return;
  throw entityErrors.schemaViolation({
    protocols: "must match the protocols of at least one route pointing to this Plugin's service",
  });
}
