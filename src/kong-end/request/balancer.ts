import { lookup } from 'node:dns/promises';
import net from 'node:net';
import { messageOf } from '../../base/errors.ts';
import type { ConfigSnapshot, TargetEntity, UpstreamEntity } from '../entities/types.ts';
import type { Destination, Exchange } from './exchange.ts';

export interface Peer {
  readonly ip: string;
  readonly port: number;
  /** Name for the Host header and for TLS. */
  readonly name: string;
  readonly hostHeader: string | null;
}

/** There is no peer. Kong answers with this message. */
export class NoPeer extends Error {
  override readonly name = 'NoPeer';
  /** 500 if nobody could find out whether there is one. */
  readonly status: 500 | 503;

  constructor(message: string, status: 500 | 503 = 503) {
    super(message);
    this.status = status;
  }
}

/** Finds the address of a name, IPv4 first. Rejects with Node's codes: ENOTFOUND, EAI_AGAIN, ... */
export type Lookup = (name: string) => Promise<string>;

const systemLookup: Lookup = async (name) => (await lookup(name, { order: 'ipv4first' })).address;

/**
 * Kong expects an address and finds a name. Kong decides by the service's host whether there is something to resolve.
 * If that host is an address, Kong never looks up a name that a plugin sets with setUpstream or setTarget, and the
 * request ends with 500 (measured on Kong 3.9.3).
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
  readonly #rings = new Map<string, Ring>();
  readonly #lookup: Lookup;

  constructor(snapshot: ConfigSnapshot, lookup: Lookup = systemLookup) {
    this.#lookup = lookup;
    for (const upstream of snapshot.upstreams) {
      const targets = snapshot.targets.filter(
        (target) => target.upstream.id === upstream.id && target.weight > 0,
      );
      this.#rings.set(`${upstream.ws_id ?? ''}:${upstream.name}`, {
        upstream,
        slots: slotsOf(targets),
        next: 0,
      });
    }
  }

  /** The next peer. @throws NoPeer, UnresolvedPeer */
  async pick(
    exchange: Pick<Exchange, 'service' | 'route'>,
    destination: Pick<Destination, 'host' | 'port'>,
  ): Promise<Peer> {
    if (isAddress(exchange.service?.host ?? '')) return fixedPeer(destination);
    const ring = this.#rings.get(`${exchange.route?.ws_id ?? ''}:${destination.host}`);
    if (ring === undefined) {
      const { host, port } = destination;
      return { ip: await this.#resolve(host), port, name: host, hostHeader: null };
    }
    return this.#pickFrom(ring);
  }

  /** The next target that has an address: Kong leaves those without one out of the ring. */
  async #pickFrom(ring: Ring): Promise<Peer> {
    const hostHeader = ring.upstream['host_header'];
    const without = new Set<string>();
    for (let count = 0; count < ring.slots.length; count++) {
      const slot = ring.slots[ring.next++ % ring.slots.length];
      if (slot === undefined || without.has(slot.host)) continue;
      const ip = await this.#addressOf(slot.host).catch(() => null);
      if (ip !== null)
        return {
          ip,
          port: slot.port,
          name: slot.host,
          hostHeader: typeof hostHeader === 'string' ? hostHeader : null,
        };
      without.add(slot.host);
    }
    throw new NoPeer('failure to get a peer from the ring-balancer');
  }

  #addressOf(host: string): Promise<string> {
    const name = bare(host);
    return net.isIP(name) === 0 ? this.#lookup(name) : Promise.resolve(name);
  }

  /** The address of a service's name. @throws NoPeer: 503 if it has none, 500 if no server could be asked */
  async #resolve(host: string): Promise<string> {
    try {
      return await this.#addressOf(host);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOTFOUND' || code === 'ENODATA') throw new NoPeer('name resolution failed');
      throw new NoPeer(
        `failed the initial dns/balancer resolve for '${host}' with: ${messageOf(error)}`,
        500,
      );
    }
  }
}

/** The peer of a service whose host is an address. */
function fixedPeer({ host, port }: Pick<Destination, 'host' | 'port'>): Peer {
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
