import { BlockList, isIP } from 'node:net';
import type { ConfigSnapshot, RouteEntity, ServiceEntity } from '../entities/types.ts';
import type { Exchange } from '../gateway/exchange.ts';

export interface StreamMatch {
  readonly route: RouteEntity;
  readonly service: ServiceEntity | null;
}

type Place = { ip?: string; port?: number };

const streamProtocols = new Set(['tcp', 'tls']);

/** Kong's stream router: by server name, sources and destinations; more kinds of conditions come first. */
export class StreamRouter {
  private readonly entries: StreamMatch[];

  constructor(snapshot: ConfigSnapshot) {
    const services = new Map(snapshot.services.map((service) => [service.id, service]));
    this.entries = snapshot.routes
      .filter((route) => route.protocols.some((protocol) => streamProtocols.has(protocol)))
      .map((route) => ({
        route,
        service: route.service === null ? null : (services.get(route.service.id) ?? null),
      }))
      .filter(({ service }) => service?.enabled !== false)
      .sort((a, b) => weight(b.route) - weight(a.route) || a.route.created_at - b.route.created_at);
  }

  match(exchange: Exchange): StreamMatch | null {
    return this.entries.find(({ route }) => fits(route, exchange)) ?? null;
  }
}

function weight(route: RouteEntity): number {
  return [route.snis, route.sources, route.destinations].filter((each) => (each?.length ?? 0) > 0).length;
}

function fits(route: RouteEntity, exchange: Exchange): boolean {
  const { client, port, tls } = exchange;
  if (!route.protocols.includes(tls === null ? 'tcp' : 'tls')) return false;
  if ((route.snis?.length ?? 0) > 0 && (tls === null || !(route.snis ?? []).includes(tls.sni ?? '')))
    return false;
  if (!placeFits(route.sources, client.ip, client.port)) return false;
  return placeFits(route.destinations, '127.0.0.1', port);
}

function placeFits(places: readonly Place[] | null, ip: string, port: number): boolean {
  if (places === null || places.length === 0) return true;
  return places.some(
    (place) => (place.port == null || place.port === port) && (place.ip == null || rangeFits(place.ip, ip)),
  );
}

function rangeFits(range: string, ip: string): boolean {
  const [address = '', bits] = range.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(address) === 0) return false;
  if (bits === undefined) return address === ip;
  const list = new BlockList();
  try {
    list.addSubnet(address, Number(bits), family);
  } catch {
    return false;
  }
  return list.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4');
}
