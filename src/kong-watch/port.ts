import type { Registry } from 'prom-client';
import type { Clock } from '../base/clock.ts';

/** The events of a watched Kong, and the port that takes them. Nothing here knows the receiver of the events. */

export interface WatchLog {
  info(message: string, fields?: Record<string, unknown>): void;
  notice(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** A change as an event. */
export interface WatchedEvent {
  /** 1 to 64 characters of `A-Z a-z 0-9 -`. The same id is the same change. */
  id: string;
  source: string;
  event: string;
  /** The fields as the text of one JSON object. */
  data: string;
  /** When it was noticed, in milliseconds since the epoch. */
  at: number;
}

/** An event that this Kong may tell of, with the keys of its data. */
export interface WatchedSource {
  source: string;
  event: string;
  fields: readonly string[];
  description?: string;
}

/** The events that hooks listen to. */
export type Wants = (source: string, event: string) => boolean;

/** The present listeners' interest. */
export interface WatchInterest {
  readonly wants: Wants;
  /** Whether anybody names the source. */
  readonly listens: (source: string) => boolean;
}

/** The receiver of the events of a watched Kong. */
export interface WatchPort {
  readonly clock: Clock;
  readonly log: WatchLog;
  /** Where the metrics of watching are shown. */
  readonly registry: Registry;
  /** Folder for what was seen last; null: it is kept in memory. */
  readonly dataDir: string | null;
  /** Whether this process may watch and report, of all that share a store: it is asked anew each time. */
  isActive(): boolean;
  publish(source: WatchedSource): void;
  /** Resolves once the events are stored; rejects when they are not. @returns those that can never be */
  accept(events: readonly WatchedEvent[]): Promise<{ refused: { index: number; reason: string }[] }>;
  /**
   * @param told called now and at each change; the author of a change waits for its result
   * @returns ends it
   */
  onInterest(told: (interest: WatchInterest) => Promise<void> | undefined): () => void;
}
