import type { InstanceRecord, Withheld } from '../ipc/messages.ts';
import { keyOf } from './log-deaths.ts';

/** How long a configuration is not set up in whose setup workers have died, in milliseconds. */
export const barredFor = 10_000;
/** Workers that may die in setups of the same configuration: the first death may be due to something beside it. */
const mostDeaths = 2;
/** Deaths that lie further apart than this have nothing to do with each other, in milliseconds. */
const apart = 60_000;
/** Configurations that are counted. */
const most = 1000;

/**
 * Kong starts an instance anew for every try of an event, and each try would end one more worker where it is the setup that
 * does. So after two deaths a configuration is not set up for a while: its instances are broken ones, whose requests are
 * answered with 500 and whose log events end.
 */
export class SetupDeaths {
  readonly #counted = new Map<string, { deaths: number; lastAt: number }>();
  #barred: readonly Withheld[] = [];

  /**
   * @param records what was being set up in the worker
   * @param now milliseconds since 1970
   * @returns what is not set up from now on
   */
  died(records: readonly InstanceRecord[], now: number): readonly Withheld[] {
    const byKey = new Map(records.map((record) => [keyOf(record), record]));
    const barred: Withheld[] = [];
    for (const [key, { name, config }] of byKey) {
      if (this.#count(key, now) < mostDeaths) continue;
      this.#counted.delete(key);
      barred.push({ name, config, until: now + barredFor, what: 'setup' });
    }
    this.#barred = [...this.barred(now), ...barred];
    return barred;
  }

  /** What is not set up at the moment. */
  barred(now: number): readonly Withheld[] {
    return this.#barred.filter(({ until }) => until > now);
  }

  #count(key: string, now: number): number {
    const before = this.#counted.get(key);
    const deaths = before === undefined || now - before.lastAt > apart ? 1 : before.deaths + 1;
    this.#counted.delete(key);
    this.#counted.set(key, { deaths, lastAt: now });
    for (const oldest of this.#counted.keys()) {
      if (this.#counted.size <= most) break;
      this.#counted.delete(oldest);
    }
    return deaths;
  }
}
