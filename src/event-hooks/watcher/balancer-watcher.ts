import { createHash } from 'node:crypto';
import type { KongAdmin } from '../../kong-admin/client.ts';
import type { Clock } from '../clock.ts';
import type { HookLog } from '../log.ts';
import type { HookEvent } from '../model/event.ts';
import type { Wants } from './events.ts';
import { Pace } from './pace.ts';

export interface BalancerWatcherOptions {
  readonly admin: KongAdmin;
  readonly wants: Wants;
  readonly emit: (events: HookEvent[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: HookLog;
  /** Milliseconds between two looks; 5000 by default. */
  readonly intervalMs?: number;
}

interface Address {
  readonly upstreamId: string;
  readonly ip: string;
  readonly port: number;
  readonly hostname: string;
  readonly health: 'healthy' | 'unhealthy';
}

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
  readonly #pace: Pace;
  #known: ReadonlyMap<string, Address> | null = null;
  #timer: unknown = null;
  #running: Promise<void> | null = null;
  #closed = false;
  #count = 0;

  constructor(options: BalancerWatcherOptions) {
    this.#options = options;
    this.#pace = new Pace(options.log, `the health of upstreams at ${options.admin.url}`);
  }

  start(): void {
    this.#schedule(0);
  }

  /** Runs one round now and waits for it. */
  async round(): Promise<void> {
    this.#schedule(await this.#round());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.clock.clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#running = this.#round().then((wait) => {
        this.#running = null;
        this.#schedule(wait);
      });
    }, ms);
  }

  async #round(): Promise<number> {
    const { wants, intervalMs = 5000 } = this.#options;
    if (!wants('balancer', 'health')) {
      // Whoever listens later hears of changes from then on.
      this.#known = null;
      return intervalMs;
    }
    try {
      const now = await this.#read();
      const changed = this.#known === null ? [] : differences(this.#known, now);
      if (changed.length > 0) await this.#options.emit(changed.map((address) => this.#eventOf(address)));
      this.#known = now;
      this.#pace.succeeded();
      return intervalMs;
    } catch (error) {
      return this.#pace.failed(error, intervalMs);
    }
  }

  async #read(): Promise<Map<string, Address>> {
    const { admin } = this.#options;
    const found = new Map<string, Address>();
    for await (const page of admin.pages('/upstreams')) {
      for (const upstream of page) {
        if (typeof upstream.id !== 'string' || !hasHealthChecks(upstream)) continue;
        const path = `/upstreams/${encodeURIComponent(upstream.id)}/health`;
        // An upstream that goes while we look is no error.
        if ((await admin.request('GET', path)).status === 404) continue;
        for await (const targets of admin.pages(path)) {
          for (const address of targets.flatMap((target) => addressesOf(String(upstream.id), target))) {
            found.set(
              `${address.upstreamId} ${address.hostname} ${address.ip} ${String(address.port)}`,
              address,
            );
          }
        }
      }
    }
    return found;
  }

  #eventOf({ upstreamId, ip, port, hostname, health }: Address): HookEvent {
    const { admin, clock } = this.#options;
    const at = clock.now();
    const text = [admin.url, upstreamId, ip, port, health, at, ++this.#count].join('\0');
    return {
      id: createHash('sha256').update(text).digest('hex').slice(0, 40),
      source: 'balancer',
      event: 'health',
      data: JSON.stringify({ upstream_id: upstreamId, ip, port, hostname, health }),
      at,
    };
  }
}

function differences(before: ReadonlyMap<string, Address>, now: ReadonlyMap<string, Address>): Address[] {
  return [...now].flatMap(([key, address]) => {
    const old = before.get(key);
    return old !== undefined && old.health !== address.health ? [address] : [];
  });
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

function addressesOf(upstreamId: string, target: Record<string, unknown>): Address[] {
  const data = record(target.data);
  const name = typeof target.target === 'string' ? target.target : '';
  const hostname = typeof data.host === 'string' ? data.host : name.replace(/:\d+$/, '');
  return list(data.addresses).flatMap((value) => {
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
