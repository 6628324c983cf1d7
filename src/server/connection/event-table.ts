/** Places at the start, and at least twice the events that run. A power of two. */
const firstPlaces = 256;

/** What the table needs to know of an event. */
interface Identified {
  readonly id: number;
}

/**
 * The running events of MsgPack:1 by id. Not a Map: V8 gives a Map a new table every few additions, and a table that has
 * once left the young generation keeps each later one, with the events that stand in it, until the next full collection.
 * Measured on Node 24: 300 bytes per event of garbage in the old space, which grew to many times what is in use.
 */
export class EventTable<Event extends Identified> {
  #places: (Event | null)[] = emptyPlaces(firstPlaces);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  *[Symbol.iterator](): IterableIterator<Event> {
    for (const event of this.#places) if (event !== null) yield event;
  }

  get(id: number): Event | undefined {
    const event = this.#places[this.#placeOf(id)];
    return event?.id === id ? event : undefined;
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  /** Whether an event with this id can be added. */
  hasPlaceFor(id: number): boolean {
    return (this.#places[this.#placeOf(id)] ?? null) === null;
  }

  /** Adds an event whose id has a place, see `hasPlaceFor`. */
  add(event: Event): void {
    this.#places[this.#placeOf(event.id)] = event;
    this.#size++;
    if (this.#size * 2 > this.#places.length) this.#grow();
  }

  delete(id: number): void {
    if (!this.has(id)) return;
    this.#places[this.#placeOf(id)] = null;
    this.#size--;
  }

  /**
   * Ids count up in their upper bits; the lowest eight are the worker's. They count too, so that ids which another server
   * has given out one after the other, as in a recorded session, have places of their own.
   */
  #placeOf(id: number): number {
    return ((id >>> 8) + id) & (this.#places.length - 1);
  }

  #grow(): void {
    const events = this.#places;
    this.#places = emptyPlaces(events.length * 2);
    for (const event of events) if (event !== null) this.#places[this.#placeOf(event.id)] = event;
  }
}

function emptyPlaces<Event>(count: number): (Event | null)[] {
  return new Array<Event | null>(count).fill(null);
}
