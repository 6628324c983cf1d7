import type { Asked } from '../../kong-admin/index.ts';

/** How many polls are remembered. */
const remembered = 16;
/**
 * The most that a unit is believed to cost, in milliseconds: the time of a Kong on a busy machine (docs/kong-events.md,
 * "What it costs"). A Kong that takes longer is late, however often it was.
 */
const dearestUnitMs = 10;

/**
 * The usual cost of polls of a Kong: the shortest time of a unit of work in the last polls. A Kong that answers late
 * (because it has stopped, or its machine was busy) costs no more than one that answers at once.
 */
export class UsualCost {
  /** Milliseconds per unit. */
  readonly #perUnit: number[] = [];

  /**
   * Takes a poll into account, whether or not it has succeeded.
   * @param units how much it had to read, in any measure that stays the same
   * @param tookMs how long it took
   * @returns what it cost, in milliseconds: at most what it took
   */
  of(units: number, tookMs: number): number {
    if (units <= 0) return 0;
    this.#perUnit.push(tookMs / units);
    if (this.#perUnit.length > remembered) this.#perUnit.shift();
    return Math.min(dearestUnitMs, ...this.#perUnit) * units;
  }
}

/** Entities that cost about as much as a request. */
const entitiesPerRequest = 100;

/** The units of what was asked: its requests, and what they have brought. */
export const unitsOf = ({ requests, entities }: Asked): number => requests + entities / entitiesPerRequest;
