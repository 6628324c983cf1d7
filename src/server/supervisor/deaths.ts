import { createHash } from 'node:crypto';
import type { InFlightEvent } from '../in-flight/register.ts';
import type { InstanceRecord, Withheld } from '../ipc/messages.ts';

/** How long a configuration is kept from running what workers have died with, in milliseconds. Kong's next try comes within 5 s. */
export const withheldForMs = 10_000;
/** Deaths that are further apart than this do not count together. Milliseconds. */
const apartMs = 60_000;
/** Configurations that are counted. */
const most = 1000;

/**
 * Counts the deaths of workers by the configuration that was at work. An instance would not do, because Kong starts one
 * anew for every try. A configuration with enough deaths is withheld for a while, and then counted anew.
 */
class Deaths {
  readonly #counted = new Map<string, { deaths: number; lastAt: number }>();
  readonly #what: Withheld['what'];
  readonly #enough: number;
  /** How many configurations one death may withhold. */
  readonly #atOnce: number;
  #withheld: readonly Withheld[] = [];

  constructor(what: Withheld['what'], enough: number, atOnce = Infinity) {
    this.#what = what;
    this.#enough = enough;
    this.#atOnce = atOnce;
  }

  /**
   * A worker has died.
   * @param records of what ran in it, the likeliest first
   * @param now milliseconds since 1970
   * @returns what is withheld from now on
   */
  protected count(records: readonly InstanceRecord[], now: number): readonly Withheld[] {
    const found: Withheld[] = [];
    const byKey = new Map<string, InstanceRecord>();
    for (const record of records) {
      const key = keyOf(record);
      if (!byKey.has(key)) byKey.set(key, record);
    }
    for (const [key, { name, config }] of byKey) {
      if (this.#countOne(key, now) < this.#enough || found.length >= this.#atOnce) continue;
      this.#counted.delete(key);
      found.push({ name, config, until: now + withheldForMs, what: this.#what });
    }
    this.#withheld = [...this.withheld(now), ...found];
    return found;
  }

  /** The configurations that are withheld now. */
  withheld(now: number): readonly Withheld[] {
    this.#withheld = this.#withheld.filter(({ until }) => until > now);
    return this.#withheld;
  }

  #countOne(key: string, now: number): number {
    const before = this.#counted.get(key);
    const deaths = before === undefined || now - before.lastAt > apartMs ? 1 : before.deaths + 1;
    this.#counted.delete(key);
    this.#counted.set(key, { deaths, lastAt: now });
    for (const oldest of this.#counted.keys()) {
      if (this.#counted.size <= most) break;
      this.#counted.delete(oldest);
    }
    return deaths;
  }
}

/**
 * Log events of which configurations end without running.
 * - When a worker has died, Kong tries its log events again, without end. An answer that the event has failed would
 *   raise in Kong's log timer.
 * - So the log events of a configuration end without running for a while, after three suspected workers have died with
 *   some of them. The event that kills comes back in that time, and ends.
 * - A death counts for one configuration alone, that of the youngest event. The others have likely done nothing.
 */
export class LogDeaths extends Deaths {
  constructor() {
    super('log', 3, 1);
  }

  /** @param events what was in flight, the youngest first */
  died(
    events: readonly InFlightEvent[],
    recordOf: (id: number) => InstanceRecord | null,
    now: number,
  ): readonly Withheld[] {
    const logs = events.filter(({ phase }) => phase === 'log');
    return this.count(
      logs.flatMap(({ instance }) => recordOf(instance) ?? []),
      now,
    );
  }
}

/**
 * Which configurations are not set up. Kong starts an instance anew for every try of an event. Where the setup ends the
 * worker, each try would end one more. So a configuration is not set up for a while after two deaths; the first may be
 * due to something else. Its instances are broken ones: their requests are answered with 500, and their log events end.
 */
export class SetupDeaths extends Deaths {
  constructor() {
    super('setup', 2);
  }

  /** @param records the instances that the worker was setting up */
  died(records: readonly InstanceRecord[], now: number): readonly Withheld[] {
    return this.count(records, now);
  }
}

function keyOf({ name, config }: InstanceRecord): string {
  return createHash('sha256').update(name).update('\0').update(config).digest('base64');
}
