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

  /** The next peer. @throws NoPeer */
  async pick(exchange: Exchange, destination: Destination): Promise<Peer> {
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
  return { host: target.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(target.slice(at + 1)) };
}

async function resolve(host: string): Promise<string> {
  const name = host.replace(/^\[|\]$/g, '');
  if (net.isIP(name) !== 0) return name;
  try {
    return (await lookup(name, { order: 'ipv4first' })).address;
  } catch {
    throw new NoPeer('name resolution failed');
  }
}
