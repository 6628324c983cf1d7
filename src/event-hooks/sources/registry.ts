import { isName } from '../model/event.ts';
import type { EventDeclaration } from '../model/event.ts';

/** One event in the Admin API's `sources` answers. */
export interface EventInfo {
  fields: readonly string[];
  unique?: readonly string[];
  description?: string;
}

/** How much all declarations may take together, in characters of JSON. */
const maxBytes = 16 * 1024 * 1024;
const maxFields = 256;
const maxDescription = 4096;

/** The fault of a declaration, null if it has none. */
function problemOf({
  source,
  event,
  fields,
  unique = [],
  description = '',
}: EventDeclaration): string | null {
  if (!isName(source)) return 'source: expected 1 to 256 printable characters';
  if (!isName(event)) return 'event: expected 1 to 256 printable characters';
  if (fields.length > maxFields || unique.length > maxFields) return `fields: more than ${String(maxFields)}`;
  if (![...fields, ...unique].every(isName)) return 'fields: expected 1 to 256 printable characters each';
  if (description.length > maxDescription)
    return `description: longer than ${String(maxDescription)} characters`;
  return null;
}

/** Every source and event that anybody has published, in memory; the last declaration of an event counts. */
export class SourceRegistry {
  readonly #sources = new Map<string, Map<string, EventInfo>>();
  readonly #maxEvents: number;
  #count = 0;
  #bytes = 0;

  /** @param maxEvents how many events are kept in all; further new ones are refused (default 10,000) */
  constructor(maxEvents = 10_000) {
    this.#maxEvents = maxEvents;
  }

  /** Whether somebody has published it. */
  has(source: string, event: string): boolean {
    return this.#sources.get(source)?.has(event) ?? false;
  }

  /** @returns why the declaration is refused, null if it is taken */
  publish(declaration: EventDeclaration): string | null {
    const problem = problemOf(declaration);
    if (problem !== null) return problem;
    const events = this.#sources.get(declaration.source) ?? new Map<string, EventInfo>();
    const known = events.get(declaration.event);
    if (known === undefined && this.#count >= this.#maxEvents)
      return `more than ${String(this.#maxEvents)} events are declared`;
    const info: EventInfo = {
      fields: [...declaration.fields],
      ...(declaration.unique !== undefined && declaration.unique.length > 0
        ? { unique: [...declaration.unique] }
        : {}),
      ...(declaration.description !== undefined && declaration.description !== ''
        ? { description: declaration.description }
        : {}),
    };
    const bytes = JSON.stringify(info).length - (known === undefined ? 0 : JSON.stringify(known).length);
    if (bytes > 0 && this.#bytes + bytes > maxBytes) return 'the declarations are too long in all';
    this.#bytes += bytes;
    if (known === undefined) this.#count += 1;
    events.set(declaration.event, info);
    this.#sources.set(declaration.source, events);
    return null;
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
