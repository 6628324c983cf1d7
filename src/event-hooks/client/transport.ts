import type { EventDeclaration, HookEvent } from '../model/event.ts';
import type { Interest } from './interest.ts';

/** Counters of a transport, plain numbers that only go up (but `buffered`). */
export interface TransportStats {
  sent: number;
  acknowledged: number;
  /** Events given up: the buffer was full, or the dispatcher refused them for good. */
  dropped: number;
  /** Waiting for the dispatcher, in events. */
  buffered: number;
}

/** The way from the hub of a process to a dispatcher. No method throws or blocks. */
export interface EventTransport {
  /** What hooks listen to. Null while that is unknown: then every event is taken and kept. */
  readonly interest: Interest | null;
  readonly stats: Readonly<TransportStats>;
  publish(declaration: EventDeclaration): void;
  /** Takes the events over: sends them, keeps them while the dispatcher is away, counts what it has to drop. */
  send(events: HookEvent[]): void;
  /** Resolves when everything taken over so far is stored by the dispatcher, or after `timeoutMs`. */
  flush(timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}
