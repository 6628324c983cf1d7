import type { EventDeclaration } from '../model/event.ts';

/** One event in the Admin API's `sources` answers. */
export interface EventInfo {
  fields: readonly string[];
  unique?: readonly string[];
  description?: string;
}

/** Every source and event that anybody has published, in memory; the last declaration of an event counts. */
export class SourceRegistry {
  readonly #sources = new Map<string, Map<string, EventInfo>>();
  readonly #maxEvents: number;
  #count = 0;

  /** @param maxEvents how many events are kept in all; further new ones are refused (default 10,000) */
  constructor(maxEvents = 10_000) {
    this.#maxEvents = maxEvents;
  }

  /** @returns whether anything changed */
  publish(declaration: EventDeclaration): boolean {
    const events = this.#sources.get(declaration.source) ?? new Map<string, EventInfo>();
    const known = events.get(declaration.event);
    if (known === undefined && ++this.#count > this.#maxEvents) {
      this.#count -= 1;
      return false;
    }
    const info: EventInfo = {
      fields: [...declaration.fields],
      ...(declaration.unique !== undefined && declaration.unique.length > 0
        ? { unique: [...declaration.unique] }
        : {}),
      ...(declaration.description !== undefined && declaration.description !== ''
        ? { description: declaration.description }
        : {}),
    };
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(info)) return false;
    events.set(declaration.event, info);
    this.#sources.set(declaration.source, events);
    return true;
  }

  /**
   * The declaration that speaks for an event. `crud` names every kind of entity there is or will be, so an undeclared
   * `crud` event has the fields that they all have.
   */
  find(source: string, event: string): EventInfo | undefined {
    return this.#sources.get(source)?.get(event);
  }
  source(source: string): Record<string, EventInfo> | undefined {
    const events = this.#sources.get(source);
    return events === undefined ? undefined : Object.fromEntries(events);
  }
  all(): Record<string, Record<string, EventInfo>> {
    return Object.fromEntries(
      [...this.#sources].map(([source, events]) => [source, Object.fromEntries(events)]),
    );
  }
  list(): EventDeclaration[] {
    return [...this.#sources].flatMap(([source, events]) =>
      [...events].map(([event, info]) => ({ source, event, ...info })),
    );
  }
}
