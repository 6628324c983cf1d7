import type { EventTransport, HookEvent } from '../../event-hooks/client/index.ts';
import { eventHooks, Interest } from '../../event-hooks/client/index.ts';
import type { EventView } from '../results.ts';

/** Which events a hook listens to: all of them, none, or those that the function says. */
export type WantedEvents = 'all' | 'none' | ((source: string, event: string) => boolean);

const nothing = { sent: 0, acknowledged: 0, dropped: 0, buffered: 0 };

/** Asks a function what is wanted. */
class AskedInterest extends Interest {
  readonly #ask: (source: string, event: string) => boolean;

  constructor(ask: (source: string, event: string) => boolean) {
    super([]);
    this.#ask = ask;
  }

  override wants(source: string, event: string): boolean {
    return this.#ask(source, event);
  }
}

/**
 * Stands in for the event hook dispatcher: keeps what the plugin emits. The hub is one per process, so that two
 * captures at once both see everything.
 */
export class EventCapture {
  static readonly #open = new Set<EventCapture>();
  static #previous: EventTransport | null = null;
  readonly #wanted: WantedEvents;
  #events: EventView[] = [];

  constructor(wanted: WantedEvents) {
    this.#wanted = wanted;
    if (EventCapture.#open.size === 0) {
      EventCapture.#previous = eventHooks.transport;
      eventHooks.attachTransport(EventCapture.#transport);
    }
    EventCapture.#open.add(this);
  }

  /** What was emitted since the last time. */
  async take(): Promise<EventView[]> {
    await eventHooks.flush();
    const events = this.#events;
    this.#events = [];
    return events;
  }

  close(): void {
    if (!EventCapture.#open.delete(this) || EventCapture.#open.size > 0) return;
    if (eventHooks.transport !== EventCapture.#transport) return;
    eventHooks.detachTransport();
    if (EventCapture.#previous !== null) eventHooks.attachTransport(EventCapture.#previous);
    EventCapture.#previous = null;
  }

  #wants(source: string, event: string): boolean {
    const wanted = this.#wanted;
    return typeof wanted === 'function' ? wanted(source, event) : wanted === 'all';
  }

  static readonly #transport: EventTransport = {
    interest: new AskedInterest((source, event) =>
      [...EventCapture.#open].some((capture) => capture.#wants(source, event)),
    ),
    stats: nothing,
    publish: () => undefined,
    send: (events: HookEvent[]) => {
      for (const { source, event, data } of events) {
        const view = { source, event, data: JSON.parse(data) as Record<string, unknown> };
        for (const capture of EventCapture.#open) {
          if (capture.#wants(source, event)) capture.#events.push(view);
        }
      }
    },
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
