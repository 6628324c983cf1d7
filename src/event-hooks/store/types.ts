import type { Hook } from '../model/hook.ts';

/**
 * - `pending`: not tried yet, or being tried; made in the order of the events
 * - `waiting`: failed, to be tried again at `due`
 * - `delivered`, `dead`: finished
 */
export type DeliveryState = 'pending' | 'waiting' | 'delivered' | 'dead';

/** An event that fires at least one hook, ready to be stored. */
export interface NewEvent {
  id: string;
  source: string;
  event: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** The payload: fields, source and event, as JSON text. */
  payload: string;
  /** Ids of the hooks that it fires. */
  hooks: string[];
  /** For those of its hooks that have `on_change` or `snooze`: what decides whether it fires. */
  rules?: FiringRule[];
}

/**
 * A hook's memory decides whether an event fires it: not within `snoozeMs` of the last firing of the same identity, and
 * not with the digest of that firing. The decision and the firing are one transaction, so that several processes on one
 * store agree. Saving a hook forgets its firings.
 */
export interface FiringRule {
  hook: string;
  /** What the event is about, in at most 64 characters. */
  identity: string;
  /** Digest of the payload for `on_change`, else null. */
  digest: string | null;
  snoozeMs: number;
  /** Milliseconds since the epoch. */
  now: number;
}

/** A delivery to be made: one event for one hook. */
export interface Delivery {
  hookId: string;
  /** The store's number of the event; rises in the order in which events were stored. */
  seq: number;
  eventId: string;
  source: string;
  event: string;
  at: number;
  payload: string;
  /** Attempts made so far. */
  attempts: number;
}

/** How an attempt ended. */
export interface AttemptResult {
  hookId: string;
  seq: number;
  state: 'delivered' | 'waiting' | 'dead';
  attempts: number;
  /** When to try again, in milliseconds since the epoch (`waiting`). */
  due: number;
  /** When the attempt ended. */
  finishedAt: number;
  /** HTTP status, null where there was none. */
  status: number | null;
  latencyMs: number;
  error: string | null;
  /** The beginning of the response. */
  response: string | null;
}

/** One attempt of a delivery. */
export interface Attempt {
  /** From 1. */
  attempt: number;
  finishedAt: number;
  status: number | null;
  latencyMs: number;
  error: string | null;
}

/** How many attempts of a delivery are remembered: the last ones. */
export const attemptsKept = 10;

/** A delivery as it is shown: never holds a secret. */
export interface DeliveryRecord extends Delivery {
  /** The last attempts, oldest first; from `delivery` only, not in lists. */
  history?: Attempt[];
  state: DeliveryState;
  due: number | null;
  finishedAt: number | null;
  status: number | null;
  latencyMs: number | null;
  error: string | null;
  response: string | null;
}

export interface DeliveryQuery {
  hookId: string;
  state?: DeliveryState;
  /** Events at or after this time only, in milliseconds. */
  since?: number;
  /** Continue below this event number. */
  before?: number;
  size: number;
}

export interface ReplayQuery {
  hookId: string;
  /** One event only. */
  seq?: number;
  /** Events at or after this time, in milliseconds. */
  since?: number;
  /** Default: delivered and dead. */
  states?: readonly ('delivered' | 'dead' | 'waiting')[];
  /** Continue above this event number. */
  after?: number;
  size: number;
}

export interface RetentionLimits {
  /** Finished deliveries of events before this time go. */
  olderThan: number;
  /** Only so many of the latest events are kept (unfinished deliveries stay whatever their age). */
  maxEvents: number;
}

/** An event that can never be stored, whatever the store's state: nothing of its commit was stored. */
export class EventRefusedError extends Error {
  /** Its place in the commit. */
  readonly index: number;
  constructor(index: number, reason: string) {
    super(reason);
    this.index = index;
  }
}

/**
 * Where hooks and deliveries live. Every method is atomic; a rejected call has changed nothing and rejects with
 * KongTsError STORE_FAILED. Several processes may have one durable store open; only the holder of the lease delivers.
 */
export interface HookStore {
  readonly kind: string;
  /** Whether an acknowledged event survives the process. */
  readonly durable: boolean;
  /** The folder on this machine where files may be kept beside it; null: there is none. */
  readonly folder: string | null;

  /**
   * The hooks as they were stored, not checked: rows may be older than the rules of today.
   * @param unreadable told of each row that holds no JSON object
   */
  hooks(unreadable?: (id: string, reason: string) => void): Promise<Hook[]>;
  saveHook(hook: Hook): Promise<void>;
  /** Deletes the hook and its deliveries. @returns whether there was one */
  deleteHook(id: string): Promise<boolean>;

  /**
   * Stores new events with their deliveries, and results, in one transaction.
   * @param heldBack told, when everything is stored, which hooks the rules kept from firing
   * @returns per event its number, or null when an event of this id is stored already (nothing is stored again), or when
   * its rules leave no hook to fire
   * @throws EventRefusedError where one event is the reason
   */
  commit(
    events: readonly NewEvent[],
    results: readonly AttemptResult[],
    heldBack?: (index: number, hookId: string) => void,
  ): Promise<(number | null)[]>;
  /**
   * Pending deliveries of a hook above an event number, in order.
   * @param maxSize no more follow once so many payload characters were found (default: no limit)
   */
  pending(hookId: string, afterSeq: number, limit: number, maxSize?: number): Promise<Delivery[]>;
  /** Takes waiting deliveries that are due: they become pending, and the caller makes them. `maxSize` as above. */
  takeDue(hookId: string, now: number, limit: number, maxSize?: number): Promise<Delivery[]>;
  /** When the next waiting delivery of a hook is due, null when none waits. */
  nextDue(hookId: string): Promise<number | null>;
  /** Counts by state, for one hook. */
  counts(hookId: string): Promise<Record<DeliveryState, number>>;

  deliveries(query: DeliveryQuery): Promise<DeliveryRecord[]>;
  delivery(hookId: string, eventId: string): Promise<DeliveryRecord | null>;
  /** Makes finished or waiting deliveries due now. @returns the event numbers, in order */
  replay(query: ReplayQuery, now: number): Promise<number[]>;
  /** Removes a bounded number of old finished deliveries. @returns how many events went */
  prune(limits: RetentionLimits): Promise<number>;

  /** Takes or renews the right to deliver. @returns whether the owner has it until `now + ttlMs` */
  lease(owner: string, now: number, ttlMs: number): Promise<boolean>;
  release(owner: string): Promise<void>;
  /** Whether another process has written since the last call; then hooks and deliveries are read again. */
  changedElsewhere(): Promise<boolean>;
  close(): Promise<void>;
}
