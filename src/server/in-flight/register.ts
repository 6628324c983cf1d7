import type { Phase } from '../../pdk/names/index.ts';
import { phases } from '../../pdk/names/index.ts';

/** How many events can be registered at the same time. Further events run unregistered. */
const places = 1024;
/** Instance, phase and one, start, ticket, event id. The phase is zero in a free place. */
export const fields = 5;

const phaseCode = Object.fromEntries(phases.map((phase, index) => [phase, index + 1])) as Record<
  Phase,
  number
>;

/**
 * The events that run in this worker, in memory that another thread reads. If the event loop is blocked or the process
 * is killed, that thread can still say what was running. Costs a few stores per event.
 */
export class InFlightRegister {
  readonly memory = new SharedArrayBuffer(places * fields * Int32Array.BYTES_PER_ELEMENT);
  readonly #table = new Int32Array(this.memory);
  readonly #free = Array.from({ length: places }, (_, index) => (places - 1 - index) * fields);

  /** Called after every change. */
  changed: (() => void) | null = null;

  /**
   * @param ticket of the connection that waits only for the event's end; 0 if there is none
   * @param eventId by which Kong steps it over MsgPack:1; 0 when it does not
   * @returns what `leave` takes
   */
  enter(instance: number, phase: Phase, ticket = 0, eventId = 0): number {
    const place = this.#free.pop();
    if (place === undefined) return -1;
    const table = this.#table;
    table[place] = instance;
    table[place + 2] = stamp(Date.now());
    table[place + 3] = ticket;
    table[place + 4] = eventId | 0;
    table[place + 1] = phaseCode[phase];
    this.changed?.();
    return place;
  }

  leave(place: number): void {
    if (place < 0) return;
    this.#table[place + 1] = 0;
    this.#free.push(place);
    this.changed?.();
  }
}

/** Milliseconds since the epoch in 31 bits: differences of up to 24 days can be told. */
function stamp(time: number): number {
  return time % 2 ** 31;
}

/** An event that was running when it was last looked at. */
export interface InFlightEvent {
  readonly instance: number;
  readonly phase: Phase;
  /** The connection of an event over ProtoBuf:1; 0 over MsgPack:1, where an event has none. */
  readonly ticket: number;
  /** By which Kong steps it over MsgPack:1; 0 over ProtoBuf:1. */
  readonly eventId: number;
  /** How long it had been running, in milliseconds. */
  readonly ranForMs: number;
}

/** Reads a copy of the register that was made at `now`; the youngest event first. */
export function readInFlight(table: Int32Array, now: number): InFlightEvent[] {
  const events: InFlightEvent[] = [];
  for (let place = 0; place + fields <= table.length; place += fields) {
    const phase = phases[(table[place + 1] ?? 0) - 1];
    if (phase === undefined) continue;
    const ranForMs = (stamp(now) - (table[place + 2] ?? 0) + 2 ** 31) % 2 ** 31;
    const eventId = (table[place + 4] ?? 0) >>> 0;
    events.push({
      instance: table[place] ?? 0,
      phase,
      ticket: table[place + 3] ?? 0,
      eventId,
      ranForMs,
    });
  }
  return events.sort((a, b) => a.ranForMs - b.ranForMs);
}
