import { lookup } from 'node:dns/promises';
import net from 'node:net';
import type { ConfigSnapshot, TargetEntity, UpstreamEntity } from '../entities/types.ts';
import type { Destination, Exchange } from './exchange.ts';

export interface Peer {
  readonly ip: string;
  readonly port: number;
  /** Name for the Host header and for TLS. */
  readonly name: string;
  readonly hostHeader: string | null;
}

/** No peer can be had; Kong answers 503 with this message. */
export class NoPeer extends Error {
  override readonly name = 'NoPeer';
}

/**
 * A name stands where Kong expects an address. Kong decides by the service's host whether there is something to
 * resolve: where that is an address, a name that a plugin sets with setUpstream or setTarget is never looked up, and
 * the request ends with 500 (measured on Kong 3.9.3).
 */
export class UnresolvedPeer extends Error {
  override readonly name = 'UnresolvedPeer';
  readonly host: string;
  readonly port: number;

  constructor(host: string, port: number) {
    super(`failed to set the current peer (address: ${host} port: ${String(port)}): no host allowed`);
    this.host = host;
    this.port = port;
  }
}

interface Ring {
  readonly upstream: UpstreamEntity;
  /** Each target as often as its weight says, spread evenly. */
  readonly slots: { host: string; port: number }[];
  next: number;
}

const maxSlots = 10_000;

/** Finds peers for destinations: upstream entities in round robin, other names by DNS. One per snapshot. */
export class Balancer {
  private readonly rings = new Map<string, Ring>();

  constructor(snapshot: ConfigSnapshot) {
    for (const upstream of snapshot.upstreams) {
      const targets = snapshot.targets.filter(
        (target) => target.upstream.id === upstream.id && target.weight > 0,
      );
      this.rings.set(`${upstream.ws_id ?? ''}:${upstream.name}`, {
        upstream,
        slots: slotsOf(targets),
        next: 0,
      });
    }
  }

  /** The next peer. @throws NoPeer, UnresolvedPeer */
  async pick(exchange: Exchange, destination: Destination): Promise<Peer> {
    if (isAddress(exchange.service?.host ?? '')) return fixedPeer(destination);
    const ring = this.rings.get(`${exchange.route?.ws_id ?? ''}:${destination.host}`);
    if (ring === undefined) {
      const { host, port } = destination;
      return { ip: await resolve(host), port, name: host, hostHeader: null };
    }
    const slot = ring.slots[ring.next++ % ring.slots.length];
    if (slot === undefined) throw new NoPeer('failure to get a peer from the ring-balancer');
    const hostHeader = ring.upstream['host_header'];
    return {
      ip: await resolve(slot.host),
      port: slot.port,
      name: slot.host,
      hostHeader: typeof hostHeader === 'string' ? hostHeader : null,
    };
  }
}

/** The peer of a service whose host is an address. */
function fixedPeer({ host, port }: Destination): Peer {
  if (!isAddress(host)) throw new UnresolvedPeer(host, port);
  return { ip: bare(host), port, name: host, hostHeader: null };
}

function isAddress(host: string): boolean {
  return net.isIP(bare(host)) !== 0;
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

function slotsOf(targets: readonly TargetEntity[]): Ring['slots'] {
  const places = targets.map((target) => ({ ...hostAndPort(target.target), weight: target.weight }));
  const divisor = places.map((place) => place.weight).reduce(greatestCommonDivisor, 0) || 1;
  const rounds = Math.max(0, ...places.map((place) => place.weight / divisor));
  const slots: Ring['slots'] = [];
  for (let round = 0; round < rounds && slots.length < maxSlots; round++)
    for (const { host, port, weight } of places) if (weight / divisor > round) slots.push({ host, port });
  return slots;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function hostAndPort(target: string): { host: string; port: number } {
  const at = target.lastIndexOf(':');
  if (at < 0 || net.isIPv6(target)) return { host: target, port: 8000 };
  return { host: bare(target.slice(0, at)), port: Number(target.slice(at + 1)) };
}

async function resolve(host: string): Promise<string> {
  const name = bare(host);
  if (net.isIP(name) !== 0) return name;
  try {
    return (await lookup(name, { order: 'ipv4first' })).address;
  } catch {
    throw new NoPeer('name resolution failed');
  }
}
