import { randomInt } from 'node:crypto';
import type { SteadyClock } from '../../base/clock.ts';
import { Deadlines } from './deadlines.ts';
import { EventTable } from './event-table.ts';
import type { ConnectionHost, RuntimeCounts } from './host.ts';
import { LateCalls } from './late-calls.ts';
import type { SteppedEvent } from './stepped-event.ts';
import { UnfinishedFrames } from './unfinished-frames.ts';
import { UnsteppedEvents } from './unstepped-events.ts';

/** Between the ends of two connections, and for all of them, in milliseconds. */
const betweenEndsMs = 100;
const allEndsMs = 2000;
/** The same for orphans: on one of them Kong may wait for an answer that nobody gives. */
const allOrphansMs = 300;

/** Event ids are 32 bits: 24 of a counter, 8 of the worker. */
const counterLimit = 2 ** 24;

/**
 * What the connections of one worker share. Events of MsgPack:1 belong to the worker and not to a connection, since
 * every step of one may come on another connection.
 */
export class Runtime {
  readonly host: ConnectionHost;
  readonly clock: SteadyClock;
  readonly deadlines: Deadlines;
  readonly lateCalls: LateCalls;
  /** Running events of MsgPack:1 by id. */
  readonly steppedEvents = new EventTable<SteppedEvent>();
  /** Those of them that wait for a step. */
  readonly unsteppedEvents: UnsteppedEvents;
  readonly unfinishedFrames: UnfinishedFrames;
  readonly counts = { connections: 0, events: 0 };
  #counter = randomInt(counterLimit);
  #endedAt = Number.NEGATIVE_INFINITY;

  constructor(host: ConnectionHost) {
    this.host = host;
    this.clock = host.clock;
    this.unsteppedEvents = new UnsteppedEvents(host.maxUnsteppedBytes);
    this.unfinishedFrames = new UnfinishedFrames(host.maxUnfinishedBytes);
    this.deadlines = new Deadlines(host.clock);
    this.lateCalls = new LateCalls(host.log);
  }

  /**
   * Whether a drained connection may end now. They end one after the other. Kong tries an event again that crosses such
   * an end, but not its StartInstance, so that one must not meet another end.
   */
  takeTurnToEnd(): boolean {
    const now = performance.now();
    const all = this.host.orphans === true ? allOrphansMs : allEndsMs;
    const between = Math.min(betweenEndsMs, all / Math.max(1, this.counts.connections));
    if (now - this.#endedAt < between) return false;
    this.#endedAt = now;
    return true;
  }

  /** An id that no running event has, with this worker's index in its low byte. */
  newEventId(): number {
    for (;;) {
      this.#counter = (this.#counter + 1) % counterLimit;
      const id = this.#counter * 256 + this.host.workerIndex;
      if (this.steppedEvents.hasPlaceFor(id)) return id;
    }
  }

  /** The worker that an event id belongs to. */
  ownerOf(eventId: number): number {
    return eventId % 256;
  }

  look(): RuntimeCounts {
    return {
      ...this.counts,
      steppedEvents: this.steppedEvents.size,
      deadlines: this.deadlines.size,
    };
  }
}

const runtimes = new WeakMap<ConnectionHost, Runtime>();

/** The one runtime of a host. */
export function runtimeOf(host: ConnectionHost): Runtime {
  let runtime = runtimes.get(host);
  if (runtime === undefined) {
    runtime = new Runtime(host);
    runtimes.set(host, runtime);
  }
  return runtime;
}
