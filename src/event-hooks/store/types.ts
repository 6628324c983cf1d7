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
  /** The rules that decide whether it fires, for its hooks with `on_change` or `snooze`. */
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
  /** The epoch of the lease under which the delivery was taken. */
  epoch: number;
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
  /** What was sent, as it may be shown; left out where nothing is sent to a target. */
  request?: SentRequest | null;
}

/** What an attempt has sent, without secrets. The hook may have another target by now. */
export interface SentRequest {
  method: string;
  url: string;
  /** `address:port` of the other end; null where there was no connection. */
  address: string | null;
  headers: Record<string, string>;
}

/** One attempt of a delivery. */
export interface Attempt {
  /** From 1. */
  attempt: number;
  finishedAt: number;
  status: number | null;
  latencyMs: number;
  error: string | null;
  /** The beginning of the response. */
  response: string | null;
  /** null: nothing was sent, or it was not recorded. */
  request: SentRequest | null;
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
  /** Events at or after this time only, in milliseconds since 1970. */
  since?: number;
  /** Continue below this event number. */
  before?: number;
  size: number;
}

/** A search among the deliveries of one hook, or among the dead ones of all. Conditions are combined with `and`. */
export interface DeliverySearch {
  /** null: over all hooks, and among dead deliveries only. */
  hookId: string | null;
  state?: DeliveryState;
  /** Events at or after this time, in milliseconds since 1970. */
  since?: number;
  /** Events before this time, in milliseconds since 1970. */
  until?: number;
  source?: string;
  event?: string;
  /** Letter by letter in the payload, the last error or the last response. */
  text?: string;
  /** Where the last portion ended: `SearchPortion.before`. */
  before?: string;
  /** How many are wanted. */
  size: number;
  /** How many deliveries are looked at, at most: what bounds the time. */
  most: number;
}

/** What a search has found, newest event first. */
export interface SearchPortion {
  found: DeliveryRecord[];
  /** How many deliveries were looked at, at most `most`. */
  looked: number;
  /** Where the next portion begins, a text of the store's own; null: everything was looked at. */
  before: string | null;
}

export interface EventQuery {
  source: string;
  /** Default: every event of the source. */
  event?: string;
  /** The event of this id only. */
  id?: string;
  size: number;
  /** No more follow once so many payload characters were found. Default: no limit. */
  mostSize?: number;
}

/** An event as it is stored. */
export interface PastEvent {
  id: string;
  source: string;
  event: string;
  at: number;
  payload: string;
}

/** What became of a hook's attempts in one hour. */
export interface HourOfHook {
  hookId: string;
  /** Its beginning, in milliseconds since the epoch. */
  hour: number;
  /** Deliveries that succeeded. */
  delivered: number;
  /** Attempts that failed. */
  failed: number;
  /** Deliveries that were given up; these attempts count as failed, too. */
  dead: number;
  /** Attempts by latency: the numbers of {@link latencyBucket}, and how many each. */
  latencies: ReadonlyMap<number, number>;
}

export interface History {
  /** Since when attempts are counted, in milliseconds since the epoch. */
  since: number;
  /** Hours with an attempt, by hook in no order, oldest first. */
  hours: HourOfHook[];
}

/** Who delivers. */
export interface LeaseHolder {
  owner: string;
  epoch: number;
  /** Milliseconds since the epoch. */
  until: number;
}

export interface ReplayQuery {
  hookId: string;
  /** One event only. */
  seq?: number;
  /** Events of these numbers only. */
  seqs?: readonly number[];
  /** Events at or after this time, in milliseconds since 1970. */
  since?: number;
  /** Default: delivered and dead. */
  states?: readonly ('delivered' | 'dead' | 'waiting')[];
  /** Continue above this event number. */
  after?: number;
  size: number;
}

/** What a replay has made due. */
export interface Replayed {
  /** The numbers of the events, in order. */
  readonly seqs: number[];
  /** How many of them waited for an attempt already; the others were finished. */
  readonly waited: number;
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

/** What a commit hears besides its numbers, once everything is stored. */
export interface CommitListener {
  /** An event's rules kept it from firing a hook. @param index the event's place in the commit */
  heldBack?(index: number, hookId: string): void;
  /** A result was not stored: the delivery was taken under an epoch that has passed, and belongs to another process. */
  fenced?(result: AttemptResult): void;
}

/** What a process asks the right for, by names. */
export interface LeaseNames {
  /** Duties that one process has at a time, whichever it is. */
  readonly roles: readonly string[];
  /** Groups of deliveries. A store whose processes share the work spreads them. */
  readonly groups: readonly string[];
}

/** The name of every role and group, where one process has all of them. */
export const anyName = '*';

/** What a process has the right to. */
export interface Rights {
  /** The epoch of each role and group that it has; one under {@link anyName} is of all of them. */
  readonly epochs: ReadonlyMap<string, number>;
  /** How many groups it has above its share, while others have less. It gives up so many when it can. */
  readonly surplus: number;
  /** When it makes sense to ask again, at the latest, in milliseconds. */
  readonly againMs: number;
}

/** The kinds of changes that another process may have written. */
export interface StoreChange {
  /** Hooks were made, changed or deleted: they are to be read again. */
  readonly hooks: boolean;
  /** There may be deliveries that nobody here was offered. */
  readonly deliveries: boolean;
  /** A right was given up: it can be had now. */
  readonly rights: boolean;
}

/**
 * Where hooks and deliveries live. CONTRIBUTING.md says how to add a store;
 * `test/conformance/event-hooks/store-suite.ts` holds each to this contract:
 *
 * - **Atomic.** Every method is one transaction. A rejected call has changed nothing and rejects with KongTsError
 *   STORE_FAILED, or as said at the method. Nothing of a call is read in one transaction and written in another: whether
 *   `on_change` and `snooze` let an event fire is decided where the event is stored.
 * - **Numbers.** Event numbers rise in the order in which commits become visible: a reader that has read up to a number
 *   never finds a lower one later. A number is never given twice.
 * - **Shared.** Several processes may have one durable store open. All of them take events in, and each delivers what it
 *   has the right to: everything or nothing, or groups of deliveries that spread over the processes. An epoch rises with
 *   each change of owner, and nothing is taken or recorded under an epoch that has passed: a process that stood still for
 *   longer than its lease changes nothing when it goes on.
 * - **Times** are the caller's, in milliseconds since the epoch. A store that has a clock of its own that all callers
 *   share may take that one instead.
 * - **Payloads** are texts and come back letter by letter.
 * - **Changes are told**, not asked for: see `onChange`. No method but `catchUp` is called for their sake, and
 *   `catchUp` does not wait for anybody.
 */
export interface HookStore {
  readonly kind: string;
  /** Whether an acknowledged event survives the process. */
  readonly durable: boolean;
  /** Whether several processes deliver at a time, so that this one does not see all that is made and finished. */
  readonly shared: boolean;
  /** The folder on this machine where files may be kept beside it; null: there is none. */
  readonly folder: string | null;

  /**
   * The hooks as they were stored, not checked: rows may be older than the rules of today.
   * @param unreadable told of each row that holds no JSON object
   */
  hooks(unreadable?: (id: string, reason: string) => void): Promise<Hook[]>;
  /** Makes or replaces a hook, and forgets its firings. */
  saveHook(hook: Hook): Promise<void>;
  /** Deletes the hook and its deliveries. @returns whether there was one */
  deleteHook(id: string): Promise<boolean>;

  /**
   * Stores new events with their deliveries, and results, in one transaction. A result of a delivery that is gone is
   * passed over.
   * @returns per event its number, or null when an event of this id is stored already (nothing is stored again), or when
   * its rules leave no hook to fire
   * @throws EventRefusedError where one event is the reason
   */
  commit(
    events: readonly NewEvent[],
    results: readonly AttemptResult[],
    listener?: CommitListener,
  ): Promise<(number | null)[]>;
  /**
   * Pending deliveries of a hook above an event number, in order.
   * @param mostSize no more follow once so many payload characters were found (default: no limit)
   */
  pending(hookId: string, afterSeq: number, limit: number, mostSize?: number): Promise<Delivery[]>;
  /**
   * Takes waiting deliveries that are due, the earliest first. They become pending, and the caller makes them.
   * @param epoch of the caller's lease. An epoch that has passed takes nothing
   * @param mostSize as above
   */
  takeDue(hookId: string, epoch: number, now: number, limit: number, mostSize?: number): Promise<Delivery[]>;
  /** When the next waiting delivery of a hook is due, null when none waits. */
  nextDue(hookId: string): Promise<number | null>;
  /** How many deliveries of each hook are pending or waiting; all hooks at once, since there may be many. */
  unfinished(): Promise<ReadonlyMap<string, number>>;
  /** Counts by state, for one hook. */
  counts(hookId: string): Promise<Record<DeliveryState, number>>;

  deliveries(query: DeliveryQuery): Promise<DeliveryRecord[]>;
  delivery(hookId: string, eventId: string): Promise<DeliveryRecord | null>;
  /** Looks at a bounded number of deliveries. A text in `before` that the store has not made is as good as none. */
  search(query: DeliverySearch): Promise<SearchPortion>;
  /** The latest stored events of a source, newest first. Events that fired no hook were never stored. */
  recentEvents(query: EventQuery): Promise<PastEvent[]>;
  /** What became of attempts in hours that began at `since` or later; results are counted where they are stored. */
  history(since: number): Promise<History>;
  /** How many deliveries of each hook wait for another attempt, and how many were given up. */
  waitingAndDead(): Promise<ReadonlyMap<string, { waiting: number; dead: number }>>;
  /** Makes finished or waiting deliveries due now. */
  replay(query: ReplayQuery, now: number): Promise<Replayed>;
  /** Removes a bounded number of old finished deliveries. @returns how many events went */
  prune(limits: RetentionLimits): Promise<number>;

  /**
   * Takes or renews rights: what is asked for and not another's, until `now + ttlMs`. What the owner has and does not ask
   * for stays its own.
   */
  lease(owner: string, now: number, ttlMs: number, names: LeaseNames): Promise<Rights>;
  /**
   * Gives rights up, so that the next one has them at once.
   * @param names some of them, where the store spreads them. Default: all, and the owner is gone
   */
  release(owner: string, names?: readonly string[]): Promise<void>;
  /** Who has the right to deliver, whether or not its time has passed; null: nobody. */
  leaseHolder(): Promise<LeaseHolder | null>;
  /** What the store takes, in bytes; null: it cannot say. */
  size(): Promise<number | null>;

  /**
   * Subscribes to what other processes write. The listener is told within a second of their commit, mostly within 100
   * ms, and once more after whatever may have kept the store from noticing. It may be told for nothing, and more than it
   * needs to know. It is not told of what this store has written itself.
   * @returns the function that ends the subscription
   */
  onChange(listener: (change: StoreChange) => void): () => void;
  /**
   * Tells the listeners now of what is committed, where the store can see that without asking anybody: SQLite looks at
   * memory that the processes share. A store behind a network has nothing to do here. Never throws.
   */
  catchUp(): void;
  /** Ends every subscription. */
  close(): Promise<void>;
}
