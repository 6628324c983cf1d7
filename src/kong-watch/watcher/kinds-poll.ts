import { messageOf } from '../../base/errors.ts';
import { AdminRefusal } from '../../kong-admin/index.ts';
import { CarriedIds } from './carried-ids.ts';
import type { Change, Entity } from './changes.ts';
import { withoutSecrets } from './redact.ts';
import type { WatcherOptions } from './options.ts';
import type { Kind } from './kinds.ts';
import type { Workspaces } from './listing.ts';
import { nodeState } from './listing.ts';
import type { KindPoll } from './poll-kind.ts';
import { pollKind } from './poll-kind.ts';
import type { Report } from './report.ts';
import type { Schedule } from './schedule.ts';

export interface PollInput {
  /** Kinds that somebody listens to, parents before what belongs to them. */
  readonly wanted: readonly Kind[];
  readonly due: ReadonlySet<Kind>;
  readonly workspaces: Workspaces;
  readonly hash: string | null;
}

type TimedPoll = KindPoll & { readonly at: number };

interface KindPolls {
  readonly polls: readonly TimedPoll[];
  /** Kinds that should have been read and were not, those aside that could not be read before either. */
  readonly unread: ReadonlySet<string>;
  /** What has ended the poll early; null: nothing. */
  readonly failure: unknown;
  /** Ids that a DB-less node has given anew, and what they were before. */
  readonly newIds: ReadonlyMap<string, string>;
}

/** Polls the kinds that are due, one after the other, and reports what has changed. */
export class KindsPoll {
  readonly #options: WatcherOptions;
  readonly #schedule: Schedule;
  readonly #report: Report;
  /** Kinds that cannot be read while others can. */
  readonly #broken = new Set<string>();
  readonly #carried = new CarriedIds();
  /** Creations that have waited for a poll of what they refer to. */
  #postponed = new Set<string>();

  constructor(parts: { options: WatcherOptions; schedule: Schedule; report: Report }) {
    this.#options = parts.options;
    this.#schedule = parts.schedule;
    this.#report = parts.report;
  }

  /**
   * @returns kinds that have to be polled again at once, so that events come in order
   * @throws KongTsError when Kong cannot be read; what was read whole is reported all the same
   */
  async run(input: PollInput): Promise<Set<string>> {
    return this.#tell(input, await this.#poll(input));
  }

  async #tell(input: PollInput, found: KindPolls | null): Promise<Set<string>> {
    if (found === null) return new Set(this.#report.over ? [] : [...input.due].map(({ schema }) => schema));
    const { polls, unread, failure, newIds } = found;
    const { told, held } = holdBack(polls, unread, input.wanted);
    // A node that has restarted meanwhile lists nothing until it has its configuration.
    if (told.some(({ operation }) => operation === 'delete') && !(await this.#stands(input.hash))) {
      return new Set(polls.map(({ kind }) => kind.schema));
    }
    const { changes, again } = await this.#ready(told, input.wanted);
    // This comes before anything is stored. If something fails from here on, unstored changes are compared by the ids
    // that they know.
    this.#carried.keep(input.wanted, newIds);
    if (!(await this.#report.send(changes))) return new Set();
    // Not before, because changes that could not be stored are polled again, whatever the hash of the configuration
    // says.
    for (const { kind, at } of polls) {
      if (held.has(kind.schema)) this.#schedule.forget(kind.schema);
      else {
        this.#schedule.polled(kind.schema, at, input.hash);
        this.#carried.forget(kind.schema);
      }
    }
    if (failure !== null) throw failure instanceof Error ? failure : new Error(messageOf(failure));
    return again;
  }

  /**
   * Whether the node has the configuration that it had when the poll began.
   * @throws Error when it has none
   */
  async #stands(hash: string | null): Promise<boolean> {
    const state = await nodeState(this.#options.admin);
    if (!state.ready) throw new Error('the node has lost its configuration or its database');
    return state.hash === hash;
  }

  /** @returns null when the poll does not count: what a first poll has found may not be the beginning */
  async #poll({ wanted, due, workspaces, hash }: PollInput): Promise<KindPolls | null> {
    const { admin, snapshots, clock, pageSize = 1000, metrics, secrets = false } = this.#options;
    const shown = (schema: string, entity: Entity): Entity =>
      secrets ? entity : withoutSecrets(schema, entity);
    const newIds = new Map<string, string>();
    if (hash === null) this.#carried.clear();
    const options = {
      admin,
      snapshots,
      workspaces,
      pageSize,
      shown,
      dbless: hash !== null,
      mayBegin: async () => (hash === null || (await this.#stands(hash))) && !this.#report.over,
    };
    const polls: TimedPoll[] = [];
    // One time for all of them: they come due together again.
    const now = clock.now();
    const failures: { kind: Kind; error: unknown }[] = [];
    /** Kinds that have lost entities or ids: what belongs to those is polled together with them. */
    const lost = new Set<string>();
    /** Without a database, kinds whose ids are not known for now, and what refers to those: it cannot be compared. */
    const unsure = new Set<string>();
    for (const kind of wanted) {
      if (!due.has(kind) && !kind.parents.some((parent) => lost.has(parent))) continue;
      if (kind.parents.some((parent) => unsure.has(parent))) {
        unsure.add(kind.schema);
        continue;
      }
      const began = performance.now();
      try {
        const poll = await pollKind(kind, { ...options, newIds: this.#carried.of(kind.schema, newIds) });
        if (poll === null) return null;
        polls.push({ ...poll, at: now });
        for (const { id, replaces } of poll.changes) if (replaces !== undefined) newIds.set(id, replaces);
        if (poll.changes.some(({ operation, replaces }) => operation === 'delete' || replaces !== undefined))
          lost.add(kind.schema);
        this.#mended(kind);
        metrics?.polled(kind.schema, performance.now() - began, poll.entities);
      } catch (error) {
        if (!isOfKind(error)) return { polls, unread: unreadOf(wanted, polls), failure: error, newIds };
        failures.push({ kind, error });
        if (hash !== null && !isRefusedForGood(error)) unsure.add(kind.schema);
      }
    }
    // A Kong that refuses everything is not a matter of kinds.
    const alone = failures.filter(({ error }) => !isRefusedForGood(error));
    if (polls.length === 0 && alone.length > 0) {
      return { polls, unread: new Set(), failure: alone[0]?.error, newIds };
    }
    const fresh = failures.filter(({ kind }) => !this.#broken.has(kind.schema));
    const unread = new Set(fresh.map(({ kind }) => kind.schema));
    for (const schema of unsure) if (!this.#schedule.failing(schema)) unread.add(schema);
    for (const schema of [...unsure, ...failures.map(({ kind }) => kind.schema)])
      this.#schedule.failed(schema, now);
    this.#sayBroken(failures);
    return { polls, unread, failure: null, newIds };
  }

  /** Holds back an entity that refers to a newer one, made after the poll of that one's kind. It does so only once. */
  async #ready(
    all: readonly Change[],
    wanted: readonly Kind[],
  ): Promise<{ changes: Change[]; again: Set<string> }> {
    const created = new Set(
      all.flatMap(({ operation, id, replaces }) =>
        operation === 'create' || replaces !== undefined ? [id] : [],
      ),
    );
    const kinds = new Map(wanted.map((kind) => [kind.schema, kind]));
    const again = new Set<string>();
    const changes: Change[] = [];
    const waited = this.#postponed;
    this.#postponed = new Set();
    for (const change of all) {
      const parents = kinds.get(change.schema)?.parents ?? [];
      const missing =
        change.operation === 'create' && parents.length > 0 && parents.every((parent) => kinds.has(parent))
          ? await this.#missing(change, parents, created)
          : false;
      const key = `${change.schema} ${change.id}`;
      if (!missing || waited.has(key) || parents.some((parent) => this.#schedule.failing(parent))) {
        changes.push(change);
        continue;
      }
      // Entities that refer to this one have to wait, too.
      created.delete(change.id);
      this.#postponed.add(key);
      for (const schema of [change.schema, ...parents]) again.add(schema);
    }
    return { changes, again };
  }

  async #missing(change: Change, parents: readonly string[], created: ReadonlySet<string>): Promise<boolean> {
    for (const id of change.refers) {
      if (created.has(id)) continue;
      let found = false;
      for (const parent of parents) {
        found ||= (await this.#options.snapshots.digests(parent, [id])).size > 0;
      }
      if (!found) return true;
    }
    return false;
  }

  #mended(kind: Kind): void {
    if (this.#broken.delete(kind.schema)) this.#options.log.notice(`${kind.schema} can be listed again`);
  }

  /** Kinds that this Kong or this token does not let us list are left out, and said once; the others go on. */
  #sayBroken(failures: readonly { kind: Kind; error: unknown }[]): void {
    const fresh = failures.filter(({ kind }) => !this.#broken.has(kind.schema));
    if (fresh.length === 0) return;
    for (const { kind } of fresh) this.#broken.add(kind.schema);
    const names = fresh.map(({ kind }) => kind.schema).join(', ');
    this.#options.log.warn(`${names} cannot be listed and is not watched until it can`, {
      error: messageOf(fresh[0]?.error),
    });
  }
}

/**
 * Sets deletions aside while earlier ones are unknown: a route's deletion comes before its service's, and the routes
 * could not be read. Entities that take the names of the deleted ones wait as well.
 * @returns the rest, and the kinds of which something was set aside
 */
function holdBack(
  polls: readonly KindPoll[],
  unread: ReadonlySet<string>,
  wanted: readonly Kind[],
): { told: Change[]; held: ReadonlySet<string> } {
  const all = polls.flatMap((look) => look.changes);
  const unsure = new Set<string>();
  for (const { schema, parents } of [...wanted].reverse()) {
    if (unread.has(schema) || unsure.has(schema)) for (const parent of parents) unsure.add(parent);
  }
  const waits = ({ schema, operation }: Change): boolean => operation === 'delete' && unsure.has(schema);
  const names = new Set(all.filter(waits).flatMap((change) => change.frees));
  const told: Change[] = [];
  const held = new Set<string>();
  for (const change of all) {
    if (waits(change) || change.takes.some((name) => names.has(name))) held.add(change.schema);
    else told.push(change);
  }
  return { told, held };
}

function unreadOf(wanted: readonly Kind[], polls: readonly KindPoll[]): Set<string> {
  const read = new Set(polls.map(({ kind }) => kind.schema));
  return new Set(wanted.map(({ schema }) => schema).filter((schema) => !read.has(schema)));
}

/** Whether an answer is about one kind of entity: other kinds may be read all the same. */
function isOfKind(error: unknown): boolean {
  return (
    error instanceof AdminRefusal && error.status >= 400 && ![401, 429, 502, 503, 504].includes(error.status)
  );
}
function isRefusedForGood(error: unknown): boolean {
  return error instanceof AdminRefusal && [400, 403, 404, 405].includes(error.status);
}
