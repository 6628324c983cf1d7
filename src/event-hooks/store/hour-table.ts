import { counted } from './hours.ts';
import { isLatencyBucket } from './latency.ts';
import type { HourOfHook } from './types.ts';

interface OpenHour extends HourOfHook {
  latencies: Map<number, number>;
}

/** Gathers the numbers of hooks' hours, in any order, into hours. */
export class HourTable {
  readonly #hours = new Map<string, OpenHour>();

  add(hookId: string, hour: number, what: number, by: number): void {
    const key = `${hookId} ${String(hour)}`;
    let one = this.#hours.get(key);
    if (one === undefined) {
      one = { hookId, hour, delivered: 0, failed: 0, dead: 0, latencies: new Map() };
      this.#hours.set(key, one);
    }
    if (what === counted.delivered) one.delivered += by;
    else if (what === counted.failed) one.failed += by;
    else if (what === counted.dead) one.dead += by;
    else if (isLatencyBucket(what)) one.latencies.set(what, (one.latencies.get(what) ?? 0) + by);
  }

  /** The hours that began at `since` or later, oldest first. */
  from(since: number): HourOfHook[] {
    return [...this.#hours.values()]
      .filter(({ hour }) => hour >= since)
      .sort((a, b) => a.hour - b.hour)
      .map((one) => ({ ...one, latencies: new Map(one.latencies) }));
  }

  /** Drops what fulfils a condition. */
  drop(which: (hour: HourOfHook) => boolean): void {
    for (const [key, hour] of this.#hours) if (which(hour)) this.#hours.delete(key);
  }
}
