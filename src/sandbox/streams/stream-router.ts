import { BlockList, isIP } from 'node:net';
import { compileServerNames } from '../../kong-end/index.ts';
import type { ConfigSnapshot, RouteEntity, ServiceEntity } from '../../kong-end/index.ts';

export interface StreamMatch {
  readonly route: RouteEntity;
  readonly service: ServiceEntity | null;
}

/** What the stream router looks at. */
export interface StreamRequest {
  readonly client: { readonly ip: string; readonly port: number };
  readonly server: { readonly ip: string; readonly port: number };
  /** The name that the client sent, null without TLS or without a name. */
  readonly sni: string | null;
}

type Place = { ip?: string | null; port?: number | null };
type Places = readonly Place[] | null;

interface Entry extends StreamMatch {
  readonly priority: number;
  readonly fits: (request: StreamRequest) => boolean;
}

const streamProtocols = new Set(['tcp', 'tls', 'udp', 'tls_passthrough']);

/**
 * Kong's stream router (3.9.3, traditional_compatible): by server name, sources and destinations. The protocols of a
 * route are not a condition. Server names are not one either for a client that sends no name. By priority, and by id,
 * the greatest first, where that is the same.
 */
export class StreamRouter {
  readonly #entries: Entry[];

  constructor(snapshot: ConfigSnapshot) {
    const services = new Map(snapshot.services.map((service) => [service.id, service]));
    this.#entries = snapshot.routes
      .filter((route) => route.protocols.some((protocol) => streamProtocols.has(protocol)))
      .map((route): Entry => ({
        route,
        service: route.service === null ? null : (services.get(route.service.id) ?? null),
        priority: streamPriority(route),
        fits: compileStream(route),
      }))
      .filter(({ service }) => service?.enabled !== false)
      .sort((a, b) => b.priority - a.priority || (a.route.id < b.route.id ? 1 : -1));
  }

  match(request: StreamRequest): StreamMatch | null {
    return this.#entries.find(({ fits }) => fits(request)) ?? null;
  }
}

const given = (list: readonly unknown[] | null | undefined): boolean => (list?.length ?? 0) > 0;

/** A server name, or sources with destinations, come first; then an address, then a port, then a range. */
export function streamPriority({ snis, sources, destinations }: RouteEntity): number {
  const first = given(snis) || (given(sources) && given(destinations)) ? 1 << 8 : 0;
  return first + (placeWeight(sources) << 4) + placeWeight(destinations);
}

function placeWeight(places: Places): number {
  let weight = 0;
  for (const { ip, port } of places ?? []) {
    if (ip != null) weight |= ip.includes('/') ? 1 : 8;
    if (port != null) weight |= 4;
  }
  return weight;
}

function compileStream(route: RouteEntity): (request: StreamRequest) => boolean {
  const names = compileServerNames(route.snis ?? []);
  const sources = compilePlaces(route.sources);
  const destinations = compilePlaces(route.destinations);
  return ({ sni, client, server }) =>
    (sni === null || names === null || names(sni)) &&
    sources(client.ip, client.port) &&
    destinations(server.ip, server.port);
}

function compilePlaces(places: Places): (ip: string, port: number) => boolean {
  if (places === null || places.length === 0) return () => true;
  const tests = places.map((place) => {
    const range = place.ip == null ? null : blockList(place.ip);
    return (ip: string, port: number): boolean =>
      (place.port == null || place.port === port) &&
      (range === null || range.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4'));
  });
  return (ip, port) => tests.some((test) => test(ip, port));
}

function blockList(range: string): BlockList {
  const list = new BlockList();
  const [address = '', bits] = range.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  // A text that is not an address is in no range.
  if (isIP(address) !== 0) list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
  return list;
}
