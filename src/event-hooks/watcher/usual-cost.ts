/** How many turns are remembered. */
const remembered = 16;
/** So many turns have to be known before what they took is believed. */
const enough = 3;

/**
 * What looks at a Kong usually cost: the least that a unit of work has taken in the last turns. A Kong that answers late
 * (it has stopped, or its machine was busy) costs no more than one that answers at once, so lateness counts for nothing;
 * one that is slow for good is known after some turns.
 */
export class UsualCost {
  /** Milliseconds per unit. */
  readonly #perUnit: number[] = [];

  /** Whether enough turns are known to tell late from slow. */
  get known(): boolean {
    return this.#perUnit.length >= enough;
  }

  /**
   * Takes a turn into account.
   * @param units how much it had to read, in any measure that stays the same
   * @param tookMs how long it took
   * @returns what it cost, in milliseconds: at most what it took
   */
  of(units: number, tookMs: number): number {
    if (units <= 0) return 0;
    this.#perUnit.push(tookMs / units);
    if (this.#perUnit.length > remembered) this.#perUnit.shift();
    return Math.min(...this.#perUnit) * units;
  }
}

/** Entities that cost about as much as a request. */
const entitiesPerRequest = 100;

/** The units of a look: its requests, and what they bring. */
export const unitsOf = (requests: number, entities: number): number =>
  requests + entities / entitiesPerRequest;
