import { messageOf } from '../../errors.ts';
import { AdminRefusal, type KongAdmin } from '../../kong-admin/client.ts';
import type { Clock } from '../clock.ts';
import type { HookLog } from '../log.ts';
import type { EventDeclaration, HookEvent } from '../model/event.ts';
import { inOrder } from './changes.ts';
import { eventsOf, wantsKind, type Wants } from './events.ts';
import { kindOfPath, type Kind } from './kinds.ts';
import { listKinds, listWorkspaces, nodeState } from './listing.ts';
import { lookAt, type Look } from './look.ts';
import { Pace } from './pace.ts';
import type { SnapshotStore } from './snapshot/types.ts';

export interface WatcherOptions {
  readonly admin: KongAdmin;
  readonly snapshots: SnapshotStore;
  readonly wants: Wants;
  /** Whether any hook names the source. */
  readonly listens: (source: string) => boolean;
  readonly publish: (declaration: EventDeclaration) => void;
  /** Resolves once the events are stored; rejects when they are not. */
  readonly emit: (events: HookEvent[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: HookLog;
  /** Milliseconds between two looks; 5000 by default. */
  readonly intervalMs?: number;
  /** Milliseconds per kind (name of its schema), where it differs. */
  readonly intervals?: Readonly<Record<string, number>>;
  /** Puts keys, passwords and other secrets into the payloads; false by default. */
  readonly secrets?: boolean;
  /** Entities per page; 1000, Kong's largest, by default. */
  readonly pageSize?: number;
}

/** How often the list of kinds is read again: plugins bring kinds of their own with a restart. */
const kindsEveryMs = 60_000;
/** A look rests at least this many times as long as it has taken, so that a large Kong is not read all the time. */
const restFactor = 4;
const longestRestMs = 300_000;
const emitAtOnce = 500;

/**
 * Turns what changes in a Kong into `crud` and `dao:crud` events, by listing and comparing. Nothing is listed while
 * nobody listens, and an error is never a change.
 */
export class CrudWatcher {
  readonly #options: WatcherOptions;
  readonly #pace: Pace;
  readonly #dueAt = new Map<string, number>();
  readonly #refused = new Set<string>();
  readonly #forgotten = new Set<string>();
  readonly #asked = new Set<string>();
  #kinds: readonly Kind[] = [];
  #kindsAt = Number.NEGATIVE_INFINITY;
  #hash: string | null = null;
  /** Nobody listens, and nothing is remembered. */
  #idle = false;
  #timer: unknown = null;
  #running: Promise<void> | null = null;
  #again = false;
  #closed = false;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#pace = new Pace(options.log, `Kong's Admin API ${options.admin.url}`);
  }

  start(): void {
    this.#schedule(0);
  }

  /** Looks now: somebody has begun to listen, or a write has gone through to Kong. */
  lookNow(path?: string): void {
    if (path !== undefined) this.#asked.add(path);
    if (this.#running !== null) this.#again = true;
    else this.#schedule(0);
  }

  /** Runs one round now and waits for it; for tests and for the first look of a start. */
  async round(): Promise<void> {
    while (this.#running !== null) await this.#running;
    const wait = await this.#round();
    if (!this.#closed) this.#schedule(wait);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.clock.clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => {
      this.#running = this.#round().then((wait) => {
        this.#running = null;
        const next = this.#again ? 0 : wait;
        this.#again = false;
        this.#schedule(next);
      });
    }, ms);
  }

  /** @returns milliseconds until the next round; never rejects */
  async #round(): Promise<number> {
    const { clock, intervalMs = 5000, intervals = {} } = this.#options;
    const shortest = Math.min(intervalMs, ...Object.values(intervals));
    const began = clock.now();
    try {
      await this.#look(began);
      this.#pace.succeeded();
      // The cap stands against a clock that was set forward meanwhile.
      return Math.max(shortest, Math.min((clock.now() - began) * restFactor, longestRestMs));
    } catch (error) {
      return this.#pace.failed(error, shortest);
    }
  }

  async #look(now: number): Promise<void> {
    const { admin, wants, listens } = this.#options;
    // While nobody listens, Kong is not asked anything.
    if (!listens('crud') && !listens('dao:crud')) {
      if (this.#idle) return;
      await this.#options.snapshots.forget(null);
      this.#dueAt.clear();
      this.#hash = null;
      this.#idle = true;
      return;
    }
    this.#idle = false;
    if (now - this.#kindsAt >= kindsEveryMs || now < this.#kindsAt) await this.#readKinds(now);
    const wanted = this.#kinds.filter((kind) => wantsKind(wants, kind.schema));
    await this.#forgetUnwanted(wanted);
    if (wanted.length === 0) return;
    const state = await nodeState(admin);
    if (!state.ready) throw new Error('the node has no configuration or no database yet');
    const asked = [...this.#asked];
    const urgent = new Set(asked.map((path) => kindOfPath(path, this.#kinds)?.schema));
    const unchanged = state.hash !== null && state.hash === this.#hash && this.#refused.size === 0;
    const due = wanted.filter(
      ({ schema }) =>
        urgent.has(schema) || (!unchanged && this.#isDue(schema, now)) || !this.#dueAt.has(schema),
    );
    if (due.length === 0) return;
    await this.#lookAtKinds(due, now);
    for (const path of asked) this.#asked.delete(path);
    this.#hash = state.hash;
  }

  /**
   * What nobody listens to has no snapshot: whoever begins to listen hears of what changes from then on, and not of
   * what has changed since somebody else stopped.
   */
  async #forgetUnwanted(wanted: readonly Kind[]): Promise<void> {
    for (const kind of wanted) this.#forgotten.delete(kind.schema);
    for (const { schema } of this.#kinds) {
      if (this.#forgotten.has(schema) || wanted.some((kind) => kind.schema === schema)) continue;
      await this.#options.snapshots.forget(schema);
      this.#dueAt.delete(schema);
      this.#forgotten.add(schema);
    }
  }

  async #readKinds(now: number): Promise<void> {
    this.#kinds = await listKinds(this.#options.admin);
    this.#kindsAt = now;
    const fields = ['operation', 'entity', 'old_entity', 'schema'];
    for (const { schema } of this.#kinds) {
      for (const event of [schema, `${schema}:create`, `${schema}:update`, `${schema}:delete`]) {
        this.#options.publish({ source: 'crud', event, fields });
      }
    }
  }

  #isDue(schema: string, now: number): boolean {
    const at = this.#dueAt.get(schema) ?? Number.NEGATIVE_INFINITY;
    const interval = this.#interval(schema);
    // A clock that was set back must not stop the watch.
    return now >= at || at - now > interval;
  }
  #interval(schema: string): number {
    return this.#options.intervals?.[schema] ?? this.#options.intervalMs ?? 5000;
  }

  async #lookAtKinds(kinds: readonly Kind[], now: number): Promise<void> {
    const { admin, snapshots, pageSize = 1000 } = this.#options;
    const workspaces = await listWorkspaces(admin);
    const looks: Look[] = [];
    let failure: unknown = null;
    for (const kind of kinds) {
      try {
        looks.push(await lookAt(admin, kind, workspaces, snapshots, pageSize));
        this.#refused.delete(kind.schema);
      } catch (error) {
        if (!this.#refusedForGood(kind, error)) {
          failure = error;
          break;
        }
      }
      this.#dueAt.set(kind.schema, now + this.#interval(kind.schema));
    }
    // What was read whole is true, also when the next kind could not be read.
    await this.#report(looks);
    if (failure !== null) throw failure instanceof Error ? failure : new Error(messageOf(failure));
  }

  /** A kind that this Kong or this token does not let us list is left out, and said once; the others go on. */
  #refusedForGood(kind: Kind, error: unknown): boolean {
    if (!(error instanceof AdminRefusal) || ![400, 403, 404, 405].includes(error.status)) return false;
    if (!this.#refused.has(kind.schema)) {
      this.#refused.add(kind.schema);
      this.#options.log.warn(`${kind.schema} cannot be listed and is not watched`, { error: error.message });
    }
    return true;
  }

  async #report(looks: readonly Look[]): Promise<void> {
    const { admin, emit, wants, clock, snapshots, secrets = false } = this.#options;
    const changes = inOrder(looks.flatMap((look) => look.changes));
    const options = { origin: admin.url, secrets, now: clock.now() };
    for (let at = 0; at < changes.length; at += emitAtOnce) {
      const events = changes.slice(at, at + emitAtOnce).flatMap((change) => eventsOf(change, wants, options));
      if (events.length > 0) await emit(events);
    }
    // Only now: a crash before this makes the same events again, with the same ids, and they fire once.
    for (const look of looks) {
      if (look.first || look.remember.length > 0) await snapshots.remember(look.kind.schema, look.remember);
    }
  }
}
