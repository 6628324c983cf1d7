import { messageOf } from '../../base/errors.ts';
import { newEventId } from '../model/event.ts';
import type { EventDeclaration, HookEvent } from '../model/event.ts';
import { SourceRegistry } from '../sources/registry.ts';
import type { EventName, FieldName, SourceName } from './published.ts';
import type { EventTransport } from './transport.ts';

/** What an event is made of, for `publish`. */
export interface PublishOptions<Field extends string = string> {
  /** The keys of the event's data. */
  fields: readonly Field[];
  /** The fields that identify what the event is about, for `on_change` and `snooze`. */
  unique?: readonly NoInfer<Field>[];
  description?: string;
}

/** How many unpublished events are remembered, so that each is told once. */
const mostHeard = 1000;

/** The data of an event: its fields. A field that is undefined or null is left out of the payload. */
export type EventData<Field extends string = string> = { readonly [K in Field]?: unknown };

/** A published event, typed by its fields. */
export interface EventHandle<Field extends string> {
  readonly source: string;
  readonly event: string;
  /** See {@link EventHooks.emit}. */
  emit(data: EventData<Field> | (() => EventData<Field>)): void;
  /** See {@link EventHooks.wants}. */
  wants(): boolean;
}

export interface HubStats {
  /** Events handed to the transport. */
  emitted: number;
  /** Events whose data was not a JSON object or was circular, and events whose function threw. */
  invalid: number;
}

/**
 * Event hooks as a plugin sees them: one hub per process. Nothing here throws or waits, whatever becomes of the
 * dispatcher. Without a matching hook, nothing is serialized.
 */
export class EventHooks {
  readonly stats: HubStats = { emitted: 0, invalid: 0 };
  /** The last reason why an event could not be serialized, or a declaration was not taken. */
  lastProblem: string | null = null;
  /** Bounded: names may be made of what clients send. */
  readonly #declarations = new SourceRegistry();
  #declares = false;
  #hear: ((source: string, event: string) => void) | null = null;
  readonly #heard = new Set<string>();
  #transport: EventTransport | null = null;
  #pending: HookEvent[] = [];

  /**
   * Declares an event, so that `GET /event-hooks/sources` lists it. May be called at any time and any number of times.
   * The hub sends earlier declarations as soon as a dispatcher is reachable.
   * @returns a handle whose `emit` is typed by the fields
   */
  publish<const Field extends string>(
    source: string,
    event: string,
    options: PublishOptions<Field>,
  ): EventHandle<Field> {
    const declaration: EventDeclaration = {
      source,
      event,
      fields: options.fields,
      ...(options.unique === undefined ? {} : { unique: options.unique }),
      ...(options.description === undefined ? {} : { description: options.description }),
    };
    this.#declare(declaration);
    return {
      source,
      event,
      emit: (data) => {
        this.emit(source, event, data);
      },
      wants: () => this.wants(source, event),
    };
  }

  /**
   * Raises an event. It returns at once, fires each matching hook exactly once, and never throws.
   * @param data the fields, or a function that makes them and is called only when a hook wants the event
   */
  emit<const Source extends SourceName, const Event extends EventName<Source>>(
    source: Source,
    event: Event,
    data: EventData<FieldName<Source, Event>> | (() => EventData<FieldName<Source, Event>>),
  ): void {
    if (!this.#declarations.has(source, event)) this.#undeclared(source, event);
    const transport = this.#transport;
    if (transport === null) return;
    const interest = transport.interest;
    if (interest !== null && !interest.wants(source, event)) return;
    let text: string | undefined;
    try {
      text = JSON.stringify(typeof data === 'function' ? data() : data);
    } catch (error) {
      this.lastProblem = `${source} ${event}: ${messageOf(error)}`;
    }
    if (text?.[0] !== '{' || !isName(source) || !isName(event)) {
      this.stats.invalid += 1;
      return;
    }
    this.stats.emitted += 1;
    const now = Date.now();
    this.#pending.push({ id: newEventId(now), source, event, data: text, at: now });
    // A plugin may emit any number of events in one turn. The transport bounds how many are kept.
    if (this.#pending.length >= 500) this.#flushPending();
    else if (this.#pending.length === 1) queueMicrotask(this.#flushPending);
  }

  /** Whether any hook would fire for the event. This is a cheap check before work that only serves an emit. */
  wants(source: string, event: string): boolean {
    const transport = this.#transport;
    if (transport === null) return false;
    return transport.interest === null || transport.interest.wants(source, event);
  }

  /** Connects the hub to a dispatcher, in place of the transport it has. The caller closes the old one. */
  attachTransport(transport: EventTransport): void {
    this.#flushPending();
    this.#transport = transport;
    for (const declaration of this.#declarations.list()) transport.publish(declaration);
  }

  /** Back to the state without a dispatcher: emits cost a null check. */
  detachTransport(): void {
    this.#flushPending();
    this.#transport = null;
  }

  /** Waits until everything emitted so far is stored by the dispatcher, at most `timeoutMs` (default 5000). */
  async flush(timeoutMs = 5000): Promise<void> {
    this.#flushPending();
    await this.#transport?.flush(timeoutMs);
  }

  /** Whether anything was published in this process: only then a dispatcher is needed. */
  get declares(): boolean {
    return this.#declares;
  }

  get transport(): EventTransport | null {
    return this.#transport;
  }

  /** Hears once of each emitted event that nothing has published. */
  onUndeclared(hear: (source: string, event: string) => void): void {
    this.#hear = hear;
  }

  #undeclared(source: unknown, event: unknown): void {
    const name = JSON.stringify([source, event]).slice(0, 600);
    if (this.#hear === null || this.#heard.has(name) || this.#heard.size >= mostHeard) return;
    this.#heard.add(name);
    this.#hear(String(source), String(event));
  }

  /** No dispatcher would take what is refused here. */
  #declare(declaration: EventDeclaration): void {
    this.#declares = true;
    let problem: string | null;
    try {
      problem = this.#declarations.publish(declaration);
    } catch (error) {
      problem = messageOf(error);
    }
    if (problem === null) this.#transport?.publish(declaration);
    else this.lastProblem = `${String(declaration.source).slice(0, 256)}: ${problem}`;
  }

  readonly #flushPending = (): void => {
    if (this.#pending.length === 0) return;
    const batch = this.#pending;
    this.#pending = [];
    this.#transport?.send(batch);
  };
}

/** Plugins in JavaScript can hand over anything. */
const isName = (value: unknown): boolean =>
  typeof value === 'string' && value.length > 0 && value.length <= 256;

/** The hub of this process, shared by every copy of this module in it. */
const key = Symbol.for('kong-ts.event-hooks.hub');
const shared = globalThis as { [key]?: EventHooks };
export const eventHooks: EventHooks = (shared[key] ??= new EventHooks());
