import type { KongAdmin } from '../../kong-admin/index.ts';
import { AdminRefusal } from '../../kong-admin/index.ts';
import type { WatchedEvent } from '../port.ts';
import { changeId } from './changes.ts';
import type { CommonOptions } from './options.ts';
import type { Workspaces } from './listing.ts';
import type { Polled } from './poller.ts';
import { Poller } from './poller.ts';
import type { Remembered } from './snapshot/types.ts';

export type BalancerWatcherOptions = CommonOptions;

/** Where the health of addresses is kept; no kind is called so. */
export const healthScope = '(health)';
const pageSize = 1000;

interface Address {
  readonly upstreamId: string;
  readonly ip: string;
  readonly port: number;
  readonly hostname: string;
  readonly health: 'healthy' | 'unhealthy';
}

interface Found {
  readonly addresses: ReadonlyMap<string, Address>;
  /** Targets that are there, whether or not they have addresses just now. */
  readonly targets: ReadonlySet<string>;
}

/** An address that a target does not have any more is remembered for this long: it may come back in other health. */
const absentMs = 3_600_000;

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/**
 * Emits `balancer`/`health` when the health of a target's address changes, for upstreams with health checks, from
 * `GET /upstreams/{id}/health` (shape measured on Kong 3.9.3). What is seen first is the beginning and no change.
 */
export class BalancerWatcher {
  readonly #options: BalancerWatcherOptions;
  readonly #poller: Poller;
  /** Since when addresses are missing. */
  readonly #absent = new Map<string, number>();

  constructor(options: BalancerWatcherOptions) {
    const { admin, clock, log, intervalMs = 5000, metrics } = options;
    this.#options = options;
    this.#poller = new Poller({
      clock,
      log,
      what: `the health of upstreams at ${admin.url}`,
      intervalMs,
      poll: () => this.#poll(),
      untilDue: () => intervalMs,
      failed: () => metrics?.failed(),
      asked: () => admin.asked,
    });
  }

  start(): void {
    this.#poller.start();
  }
  /** Polls as soon as may be. @returns resolves when that poll is over */
  lookNow(): Promise<void> {
    return this.#poller.soon();
  }
  /** Runs one poll now and waits for it; for tests. */
  pollNow(): Promise<void> {
    return this.#poller.now();
  }
  close(): Promise<void> {
    return this.#poller.close();
  }

  async #poll(): Promise<Polled> {
    const { wants, snapshots, mayReport, emit, metrics } = this.#options;
    if (!wants('balancer', 'health')) {
      // A later listener hears of changes from then on.
      if (await snapshots.seen(healthScope)) await snapshots.forget(healthScope);
      return { did: 'nothing' };
    }
    const began = performance.now();
    const first = !(await snapshots.seen(healthScope));
    const { addresses: now, targets } = await this.#read();
    const known = await snapshots.digests(healthScope, [...now.keys()]);
    const generation = await snapshots.generation('health');
    const events: WatchedEvent[] = [];
    const missing = await snapshots.idsBeside(healthScope, new Set(now.keys()));
    const remember: Remembered[] = missing
      .filter((id) => this.#isGone(id, targets))
      .map((id) => ({ id, operation: 'delete' }));
    for (const { id } of remember) this.#absent.delete(id);
    for (const [id, address] of now) {
      this.#absent.delete(id);
      const before = known.get(id);
      if (before === address.health) continue;
      if (before !== undefined) events.push(this.#eventOf(id, address, generation));
      remember.push({ id, operation: 'update', digest: address.health, text: '' });
    }
    if (this.#poller.closed || mayReport?.() === false) return { did: 'nothing' };
    if (events.length > 0) {
      await emit(events);
      for (const _ of events) metrics?.changed('health', 'update');
    }
    if (first || remember.length > 0) await snapshots.remember(healthScope, remember);
    if (events.length > 0) await snapshots.nextGeneration('health');
    metrics?.polled('health', performance.now() - began, now.size);
    return { did: 'read' };
  }

  /** Whether an address that is missing is forgotten: with its target or upstream, or after some time. */
  #isGone(id: string, targets: ReadonlySet<string>): boolean {
    const [upstreamId = '', hostname = ''] = id.split(' ');
    if (!targets.has(`${upstreamId} ${hostname}`)) return true;
    const now = this.#options.clock.now();
    const since = this.#absent.get(id) ?? now;
    this.#absent.set(id, since);
    return now - since >= absentMs;
  }

  async #read(): Promise<Found> {
    const { admin } = this.#options;
    const addresses = new Map<string, Address>();
    const targets = new Set<string>();
    for (const workspace of await this.#workspaces()) {
      const within = admin.in(workspace);
      for await (const page of within.pages('/upstreams', pageSize)) {
        for (const upstream of page) {
          if (typeof upstream.id !== 'string' || !hasHealthChecks(upstream)) continue;
          for (const target of await targetsOf(within, upstream.id)) {
            targets.add(`${upstream.id} ${hostnameOf(target)}`);
            for (const address of addressesOf(upstream.id, target)) {
              const { upstreamId, hostname, ip, port } = address;
              addresses.set(`${upstreamId} ${hostname} ${ip} ${String(port)}`, address);
            }
          }
        }
      }
    }
    return { addresses, targets };
  }

  async #workspaces(): Promise<Workspaces> {
    try {
      const names = (await this.#options.admin.list('/workspaces')).map(({ name }) => name);
      return names.filter((name) => typeof name === 'string');
    } catch (error) {
      // Open source: there are none.
      if (error instanceof AdminRefusal && error.status === 404) return [null];
      throw error;
    }
  }

  #eventOf(id: string, address: Address, generation: number): WatchedEvent {
    const { admin, clock } = this.#options;
    const { upstreamId, ip, port, hostname, health } = address;
    const change = { schema: 'health', id, operation: 'update' as const, digest: health };
    return {
      id: changeId(admin.url, 'balancer', change, generation),
      source: 'balancer',
      event: 'health',
      data: JSON.stringify({ upstream_id: upstreamId, ip, port, hostname, health }),
      at: clock.now(),
    };
  }
}

async function targetsOf(admin: KongAdmin, upstreamId: string): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  try {
    const path = `/upstreams/${encodeURIComponent(upstreamId)}/health`;
    for await (const targets of admin.pages(path, pageSize)) found.push(...targets);
  } catch (error) {
    // It is not an error if an upstream goes during the poll.
    if (!(error instanceof AdminRefusal) || error.status !== 404) throw error;
  }
  return found;
}

/** Active checks have an interval, passive ones a threshold; 0 is off (Kong 3.9.3). */
function hasHealthChecks(upstream: Record<string, unknown>): boolean {
  const checks = record(upstream.healthchecks);
  const positive = (value: unknown, names: readonly string[]): boolean =>
    names.some((name) => Number(record(value)[name] ?? 0) > 0);
  const active = record(checks.active);
  const passive = record(checks.passive);
  return (
    positive(active.healthy, ['interval']) ||
    positive(active.unhealthy, ['interval']) ||
    positive(passive.healthy, ['successes']) ||
    positive(passive.unhealthy, ['tcp_failures', 'timeouts', 'http_failures'])
  );
}

function hostnameOf(target: Record<string, unknown>): string {
  const { host } = record(target.data);
  const name = typeof target.target === 'string' ? target.target : '';
  return typeof host === 'string' ? host : name.replace(/:\d+$/, '');
}

function addressesOf(upstreamId: string, target: Record<string, unknown>): Address[] {
  const hostname = hostnameOf(target);
  return list(record(target.data).addresses).flatMap((value) => {
    const { ip, port, health } = record(value);
    if (typeof ip !== 'string' || (health !== 'HEALTHY' && health !== 'UNHEALTHY')) return [];
    return [
      {
        upstreamId,
        ip,
        port: Number(port),
        hostname,
        health: health === 'HEALTHY' ? ('healthy' as const) : ('unhealthy' as const),
      },
    ];
  });
}
