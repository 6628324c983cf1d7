import { createHash } from 'node:crypto';
import type { InFlightEvent } from '../in-flight/register.ts';
import type { InstanceRecord, Withheld } from '../ipc/messages.ts';

/** Workers that may die with log events of the same configuration on them. */
const mostDeaths = 3;
/** How long log events of a configuration end without running then, in milliseconds. Kong's next try comes within 5 s. */
export const withholdFor = 10_000;
/** Deaths that lie further apart than this have nothing to do with each other, in milliseconds. */
const apart = 60_000;
/** Configurations that are counted. */
const most = 1000;

interface Counted {
  deaths: number;
  lastAt: number;
}

/**
 * Kong tries a log event again, without end, when the worker that ran it has died; to tell it that the event has failed would
 * raise in its log timer. So where three suspected workers have died with log events of the same configuration on them,
 * those end without running for a while: the one that kills comes back in that time, and is over. It is one configuration for each
 * death, that of the youngest event: beside it there may be others that have done nothing.
 */
export class LogDeaths {
  readonly #counted = new Map<string, Counted>();
  #withheld: Withheld[] = [];

  /**
   * @param events what was in flight, the youngest first
   * @param now milliseconds since 1970
   * @returns whose log events are withheld from now on, null for nobody's
   */
  died(
    events: readonly InFlightEvent[],
    recordOf: (id: number) => InstanceRecord | null,
    now: number,
  ): Withheld | null {
    let found: Withheld | null = null;
    const seen = new Set<string>();
    for (const { phase, instance } of events) {
      const record = phase === 'log' ? recordOf(instance) : null;
      if (record === null) continue;
      const key = keyOf(record);
      if (seen.has(key)) continue;
      seen.add(key);
      if (this.#count(key, now) < mostDeaths || found !== null) continue;
      found = { name: record.name, config: record.config, until: now + withholdFor, what: 'log' };
      this.#counted.delete(key);
    }
    if (found !== null) this.#withheld = [...this.withheld(now), found];
    return found;
  }

  /** What is withheld at the moment. */
  withheld(now: number): readonly Withheld[] {
    this.#withheld = this.#withheld.filter(({ until }) => until > now);
    return this.#withheld;
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

/** Kong starts an instance anew for every try: the configuration is what stays. */
export function keyOf({ name, config }: InstanceRecord): string {
  return createHash('sha256').update(name).update('\0').update(config).digest('base64');
}
