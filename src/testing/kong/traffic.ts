/** What the socket has carried in one or several events. */
export interface Traffic {
  readonly roundTrips: number;
  readonly writes: number;
}

/** Counts how often a plugin server spoke, and how often it did so after having heard something. */
export class TrafficCounter {
  #writes = 0;
  #turns = 0;
  #heard = false;

  /** Kong's bytes have arrived. */
  heard(): void {
    this.#heard = true;
  }

  /** The server writes. */
  spoke(): void {
    this.#writes++;
    if (this.#heard) this.#turns++;
    this.#heard = false;
  }

  /** Starts to count an event. */
  start(): void {
    this.#writes = 0;
    this.#turns = 0;
    this.#heard = false;
  }

  /** The last turn is the event's end, which nobody waits for. */
  get traffic(): Traffic {
    return { roundTrips: Math.max(0, this.#turns - 1), writes: this.#writes };
  }
}
