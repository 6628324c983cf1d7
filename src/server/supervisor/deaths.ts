import { createHash } from 'node:crypto';
import type { InFlightEvent } from '../in-flight/register.ts';
import type { InstanceRecord, Withheld } from '../ipc/messages.ts';

/** How long a configuration is kept from running what workers have died with, in milliseconds. Kong's next try comes within 5 s. */
export const withheldForMs = 10_000;
/** Deaths that lie further apart than this have nothing to do with each other, in milliseconds. */
const apart = 60_000;
/** Configurations that are counted. */
const most = 1000;

/**
 * What workers have died with, by configuration: Kong starts an instance anew for every try, and what stays is the configuration.
 * Once it is enough deaths, that is withheld for a while, and counted anew after it.
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

  /** What is withheld at the moment. */
  withheld(now: number): readonly Withheld[] {
    this.#withheld = this.#withheld.filter(({ until }) => until > now);
    return this.#withheld;
  }

  #countOne(key: string, now: number): number {
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

/**
 * Kong tries a log event again, without end, when the worker that ran it has died; to tell it that the event has failed would
 * raise in its log timer. So where three suspected workers have died with log events of the same configuration on them,
 * those end without running for a while: the one that kills comes back in that time, and is over. It is one configuration for each
 * death, that of the youngest event: beside it there may be others that have done nothing.
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
 * Kong starts an instance anew for every try of an event, and each try would end one more worker where it is the setup that
 * does. So after two deaths, of which the first may be due to something beside it, a configuration is not set up for a while: its
 * instances are broken ones, whose requests are answered with 500 and whose log events end.
 */
export class SetupDeaths extends Deaths {
  constructor() {
    super('setup', 2);
  }

  /** @param records what was being set up in the worker */
  died(records: readonly InstanceRecord[], now: number): readonly Withheld[] {
    return this.count(records, now);
  }
}

function keyOf({ name, config }: InstanceRecord): string {
  return createHash('sha256').update(name).update('\0').update(config).digest('base64');
}
