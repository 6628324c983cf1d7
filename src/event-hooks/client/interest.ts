/** What hooks listen to: one entry per source and event (`null`: every event of the source). */
export type InterestList = readonly (readonly [source: string, event: string | null])[];

/** Answers "does any hook want this event?" with two map look-ups and no allocation. */
export class Interest {
  readonly #all = new Set<string>();
  readonly #events = new Map<string, Set<string>>();

  constructor(list: InterestList) {
    for (const [source, event] of list) {
      if (event === null) {
        this.#all.add(source);
        continue;
      }
      const events = this.#events.get(source) ?? new Set<string>();
      events.add(event);
      // A hook on `consumers:update` is fired by the event `consumers` whose operation is update.
      if (source === 'crud' && event.includes(':')) events.add(event.slice(0, event.indexOf(':')));
      this.#events.set(source, events);
    }
  }

  wants(source: string, event: string): boolean {
    return this.#all.has(source) || (this.#events.get(source)?.has(event) ?? false);
  }
}
