import { isUuid } from '../../base/uuid.ts';
import { foreignId, getPath, page } from '../../kong-end/index.ts';
import type { Entity } from '../../kong-end/index.ts';
import { listed, message, noContent, notFound, ok, shown } from './answers.ts';
import { input, paging, writable } from './entities.ts';
import type { Answer, Context, Endpoint, Handler, TargetHealth } from './types.ts';

/** Targets by their address, and the health of upstreams. */
export function upstreamEndpoints(): Endpoint[] {
  const one = '/upstreams/:upstreams/targets/:targets';
  return [
    { path: '/upstreams/:upstreams/health', methods: { GET: health } },
    { path: '/upstreams/:upstreams/targets/all', methods: { GET: allTargets } },
    {
      path: one,
      methods: {
        GET: withTarget((_context, target) => ok(shown(target))),
        PATCH: withTarget(changeTarget),
        PUT: withTarget(changeTarget),
        DELETE: withTarget((context, target) => {
          writable(context, 'remove', context.state.store.registry.kind('targets'));
          context.state.dao.delete('targets', target);
          return noContent;
        }),
      },
    },
    { path: `${one}/healthy`, methods: { PUT: withTarget(force('HEALTHY')) } },
    { path: `${one}/unhealthy`, methods: { PUT: withTarget(force('UNHEALTHY')) } },
    { path: `${one}/:address/healthy`, methods: { PUT: withTarget(force('HEALTHY')) } },
    { path: `${one}/:address/unhealthy`, methods: { PUT: withTarget(force('UNHEALTHY')) } },
    // Targets are reached through their upstream only.
    ...['/targets', '/targets/:targets', '/targets/:targets/upstream', '/snis/:snis/certificate'].map(
      (path) => ({
        path,
        methods: {
          GET: () => notFound,
          POST: () => notFound,
          PUT: () => notFound,
          PATCH: () => notFound,
          DELETE: () => notFound,
        },
      }),
    ),
  ];
}

/** The upstream as the path names it. */
function pathKey(context: Context): string {
  return encodeURIComponent(context.params['upstreams'] ?? '');
}

function findUpstream(context: Context): Entity | undefined {
  return context.state.dao.find('upstreams', context.params['upstreams'] ?? '', context.workspace);
}

function withTarget(handle: (context: Context, target: Entity, upstream: Entity) => Answer): Handler {
  return (context) => {
    const upstream = findUpstream(context);
    if (upstream === undefined) return notFound;
    const key = context.params['targets'] ?? '';
    const table = context.state.store.table('targets');
    const targets = table.idsByParent('upstream', upstream.id).flatMap((id) => table.get(id) ?? []);
    const target = isUuid(key)
      ? table.get(key)
      : targets.find((candidate) => [key, `${key}:8000`].includes(String(candidate['target'])));
    if (target === undefined || foreignId(target, 'upstream') !== upstream.id) return notFound;
    return handle(context, target, upstream);
  };
}

function changeTarget(context: Context, target: Entity): Answer {
  const kind = context.state.store.registry.kind('targets');
  writable(context, 'update', kind);
  return ok(shown(context.state.dao.update('targets', target, input(context, kind), context.workspace)));
}

const force =
  (health: TargetHealth) =>
  (context: Context, target: Entity, upstream: Entity): Answer => {
    if (!checksHealth(upstream)) return message(400, `no healthchecker found for ${upstreamName(upstream)}`);
    context.state.forcedHealth.set(target.id, health);
    return noContent;
  };

function upstreamName(upstream: Entity): string {
  return String(upstream['name']);
}

function allTargets(context: Context): Answer {
  const upstream = findUpstream(context);
  if (upstream === undefined) return notFound;
  const { data, offset } = targetPage(context, upstream);
  return listed(
    context,
    data.map((target) => shown(target)),
    offset,
    `/upstreams/${pathKey(context)}/targets/all`,
  );
}

function targetPage(context: Context, upstream: Entity): ReturnType<typeof page> {
  return page(context.state.store, 'targets', {
    ...paging(context),
    parent: { field: 'upstream', id: upstream.id },
  });
}

function health(context: Context): Answer {
  const upstream = findUpstream(context);
  if (upstream === undefined) return notFound;
  const { state } = context;
  if (context.query.get('balancer_health') === '1') {
    return ok({ data: balancerHealth(context, upstream), next: null, node_id: state.nodeId });
  }
  const { data, offset } = targetPage(context, upstream);
  const list = data.map((target) => {
    const status = state.health(upstream, target);
    return { ...shown(target), data: addresses(target, status), health: status };
  });
  const answer = listed(context, list, offset, `/upstreams/${pathKey(context)}/health`);
  return ok({ ...(answer.body as object), node_id: state.nodeId });
}

interface TargetStatus {
  nodeWeight: number;
  host: string;
  port: number;
  dns: string;
  addresses: { ip: string; port: number; weight: number; health: TargetHealth }[];
  weight: { total: number; available: number; unavailable: number };
}

const isUp = (status: TargetHealth): boolean => status === 'HEALTHY' || status === 'HEALTHCHECKS_OFF';

function addresses(target: Entity, status: TargetHealth): TargetStatus {
  const text = String(target['target']);
  const at = text.lastIndexOf(':');
  const host = text.slice(0, at);
  const port = Number(text.slice(at + 1));
  const weight = Number(target['weight']);
  const up = isUp(status);
  const failed = status === 'DNS_ERROR';
  return {
    nodeWeight: weight,
    host,
    port,
    dns: failed ? 'dns server error: 3 name error' : 'A',
    addresses: failed ? [] : [{ ip: host, port, weight, health: status }],
    weight: { total: weight, available: up ? weight : 0, unavailable: up ? 0 : weight },
  };
}

/** What Kong says of the balancer of an upstream as a whole. */
function balancerHealth(context: Context, upstream: Entity): Record<string, unknown> {
  const table = context.state.store.table('targets');
  const hosts = table
    .idsByParent('upstream', upstream.id)
    .flatMap((id) => table.get(id) ?? [])
    .map((target) => balancerHost(addresses(target, context.state.health(upstream, target))));
  const total = hosts.reduce((sum, host) => sum + host.weight.total, 0);
  const available = hosts.reduce((sum, host) => sum + host.weight.available, 0);
  const threshold = Number(getPath(upstream, 'healthchecks.threshold') ?? 0);
  const healthy = available > 0 && (available / total) * 100 >= threshold;
  const health = healthy ? 'HEALTHY' : 'UNHEALTHY';
  return {
    id: upstream.id,
    health: checksHealth(upstream) ? health : 'HEALTHCHECKS_OFF',
    balancer_health: health,
    details: { healthy, weight: { total, available, unavailable: total - available }, hosts },
  };
}

/** A target in the balancer's words: its addresses are healthy or not. */
function balancerHost({ addresses: list, ...host }: TargetStatus): Omit<TargetStatus, 'addresses'> & {
  addresses: { ip: string; port: number; weight: number; healthy: boolean }[];
} {
  return {
    ...host,
    addresses: list.map(({ health: status, ...address }) => ({ ...address, healthy: isUp(status) })),
  };
}

/** Whether any of an upstream's health checks is on. */
export function checksHealth(upstream: Entity): boolean {
  const on = (path: string): boolean => Number(getPath(upstream, `healthchecks.${path}`) ?? 0) > 0;
  return (
    on('active.healthy.interval') ||
    on('active.unhealthy.interval') ||
    on('passive.unhealthy.tcp_failures') ||
    on('passive.unhealthy.timeouts') ||
    on('passive.unhealthy.http_failures') ||
    on('passive.healthy.successes')
  );
}
