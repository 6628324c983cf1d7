import { healthScope } from './balancer-watcher.ts';
import { wantsKind } from './events.ts';
import type { Kind } from './kinds.ts';
import { kindsOfWrite, withParents } from './kinds.ts';
import type { Inventory, NodeState } from './listing.ts';
import { nodeState, readInventory } from './listing.ts';
import type { Polled } from './poller.ts';
import { Poller } from './poller.ts';
import type { WatcherOptions } from './options.ts';
import { Report } from './report.ts';
import { KindsPoll } from './kinds-poll.ts';
import { Schedule } from './schedule.ts';
import { listWorkspaces } from './workspaces.ts';

/** How often the list of kinds is read again: plugins bring kinds of their own with a restart. */
const kindsEveryMs = 60_000;

/**
 * Turns what changes in a Kong into `crud` and `dao:crud` events, by listing and comparing. Nothing is listed while
 * nobody listens, and an error is never a change.
 */
export class CrudWatcher {
  readonly #options: WatcherOptions;
  readonly #schedule: Schedule;
  readonly #poller: Poller;
  readonly #kindsPoll: KindsPoll;
  readonly #forgotten = new Set<string>();
  #inventory: Inventory = { kinds: [], workspaces: false, segments: new Set() };
  #kindsAt = Number.NEGATIVE_INFINITY;
  /** Kinds that are polled whenever they are due otherwise. */
  #urgent = new Set<string>();
  /** Nobody listens, and nothing is remembered. */
  #idle = false;
  #wanted: readonly Kind[] = [];
  /** Whether the node has no database; null while that is not known. */
  #dbless: boolean | null = null;

  constructor(options: WatcherOptions) {
    const { admin, clock, log, intervalMs = 5000, intervals = {}, metrics } = options;
    this.#options = options;
    this.#schedule = new Schedule(intervalMs, intervals);
    this.#kindsPoll = new KindsPoll({
      options,
      schedule: this.#schedule,
      report: new Report(options, () => this.#poller.closed || options.mayReport?.() === false),
    });
    this.#poller = new Poller({
      clock,
      log,
      what: `Kong's Admin API ${admin.url}`,
      intervalMs: Math.min(intervalMs, ...Object.values(intervals)),
      poll: () => this.#poll(clock.now()),
      untilDue: () => this.#nextWait(clock.now()),
      failed: () => metrics?.failed(),
      asked: () => admin.asked,
    });
  }

  start(): void {
    this.#poller.start();
  }

  /**
   * Polls as soon as may be: somebody has begun to listen, or a write has gone through to Kong.
   * @returns resolves when that poll is over, whether or not it has succeeded
   */
  lookNow(write?: { readonly method: string; readonly path: string }): Promise<void> {
    if (write !== undefined) {
      const { kinds } = this.#inventory;
      for (const { schema } of kindsOfWrite(write.method, write.path, kinds)) {
        if (this.#wanted.some((kind) => kind.schema === schema)) this.#urgent.add(schema);
      }
      // Which kinds there are is not known yet: the first poll is of all of them.
      if (this.#urgent.size === 0 && kinds.length > 0) return Promise.resolve();
    }
    return this.#poller.soon();
  }

  /** Whether the Admin API has paths that begin with this segment. */
  isCollection(segment: string): boolean {
    return this.#inventory.segments.has(segment);
  }

  /** Runs one poll now and waits for it; for tests. */
  pollNow(): Promise<void> {
    return this.#poller.now();
  }

  /** Ends; a poll on its way reports nothing more than what it is writing just now. */
  close(): Promise<void> {
    return this.#poller.close();
  }

  async #poll(now: number): Promise<Polled> {
    const { wants, listens } = this.#options;
    // While nobody listens, Kong is not asked anything.
    if (!listens('crud') && !listens('dao:crud')) {
      await this.#forgetAll();
      return { did: 'nothing' };
    }
    this.#idle = false;
    if (now - this.#kindsAt >= kindsEveryMs || now < this.#kindsAt) await this.#readKinds(now);
    const { kinds } = this.#inventory;
    const wanted = kinds.filter((kind) => wantsKind(wants, kind.schema));
    const state = this.#dbless === null && wanted.length > 0 ? await nodeState(this.#options.admin) : null;
    if (state !== null) this.#dbless = state.hash !== null;
    // Without a database, what an entity belongs to may have another id after each configuration.
    this.#wanted = this.#dbless === true ? withParents(wanted, kinds) : wanted;
    await this.#forgetUnwanted();
    // Requests from here on belong to the next poll.
    const urgent = this.#urgent;
    this.#urgent = new Set();
    try {
      return await this.#pollDue(urgent, now, state);
    } catch (error) {
      for (const schema of urgent) this.#urgent.add(schema);
      throw error;
    }
  }

  async #pollDue(urgent: ReadonlySet<string>, now: number, known: NodeState | null): Promise<Polled> {
    const { admin, snapshots } = this.#options;
    const candidates = this.#wanted.filter(
      ({ schema }) => urgent.has(schema) || this.#schedule.isDue(schema, now),
    );
    if (candidates.length === 0) return { did: 'nothing' };
    const state = known ?? (await nodeState(admin));
    this.#dbless = state.hash !== null;
    if (!state.ready) throw new Error('the node has no configuration or no database yet');
    const due = new Set<Kind>();
    for (const kind of candidates) {
      if (urgent.has(kind.schema) || !this.#schedule.isKnown(kind.schema, state.hash)) due.add(kind);
      else this.#schedule.polled(kind.schema, now, state.hash);
    }
    if (due.size === 0) return { did: 'read' };
    if (this.#dbless) {
      for (const kind of withParents([...due], this.#wanted))
        if (!this.#schedule.isKnown(kind.schema, state.hash)) due.add(kind);
    }
    const workspaces = this.#inventory.workspaces ? await listWorkspaces(admin, snapshots) : [null];
    const again = await this.#kindsPoll.run({
      wanted: this.#wanted,
      due,
      workspaces,
      hash: state.hash,
    });
    for (const schema of again) this.#urgent.add(schema);
    return { did: again.size > 0 ? 'again' : 'read' };
  }

  async #forgetAll(): Promise<void> {
    this.#urgent.clear();
    this.#wanted = [];
    if (this.#idle) return;
    const { snapshots } = this.#options;
    for (const scope of await snapshots.scopes()) if (scope !== healthScope) await snapshots.forget(scope);
    this.#schedule.clear();
    this.#forgotten.clear();
    this.#idle = true;
  }

  /**
   * A kind without listeners has no snapshot. A new listener hears of changes from then on, but not of those since an
   * earlier listener stopped.
   */
  async #forgetUnwanted(): Promise<void> {
    const wanted = new Set(this.#wanted.map((kind) => kind.schema));
    for (const schema of wanted) this.#forgotten.delete(schema);
    for (const { schema } of this.#inventory.kinds) {
      if (this.#forgotten.has(schema) || wanted.has(schema)) continue;
      await this.#options.snapshots.forget(schema);
      this.#schedule.forget(schema);
      this.#forgotten.add(schema);
    }
  }

  async #readKinds(now: number): Promise<void> {
    this.#inventory = await readInventory(this.#options.admin);
    this.#kindsAt = now;
    const fields = ['operation', 'entity', 'old_entity', 'schema'];
    for (const { schema } of this.#inventory.kinds) {
      for (const event of [schema, `${schema}:create`, `${schema}:update`, `${schema}:delete`]) {
        this.#options.publish({ source: 'crud', event, fields });
      }
    }
  }

  /** Until the next kind is due. */
  #nextWait(now: number): number {
    const { intervalMs = 5000 } = this.#options;
    return Math.min(intervalMs, ...this.#wanted.map(({ schema }) => this.#schedule.wait(schema, now)));
  }
}
