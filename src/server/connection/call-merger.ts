import { Buffer } from 'node:buffer';
import { setOwn } from '../../base/set-own.ts';
import type { FunctionRow, Effects, Plural } from '../../pdk/index.ts';
import { canShare, effectsOf, fieldsOf, pluralOf } from '../../pdk/events/index.ts';
import type { Phase } from '../../pdk/names/index.ts';
import type { Asked } from './asked.ts';
import type { CallLane } from './call-lane.ts';
import { MergedCall } from './merged-call.ts';
import type { PendingCall } from './pending-call.ts';
import { SetterRun } from './setter-run.ts';

/** Getters of this turn that one plural can answer. */
interface Gathering {
  readonly plural: Plural;
  readonly calls: PendingCall[];
}

/** A call that may not leave yet. */
type PutOff =
  | { readonly call: PendingCall }
  | { readonly call: null; readonly row: FunctionRow; readonly args: readonly unknown[] };

/**
 * Makes one call of several, by the rules of the catalogue, for one event.
 *
 * - Setters are held until something comes that could see them, or the event ends: a run of them leaves as one call.
 * - Getters of one turn leave with its end, as one call of their plural. Where its answer does not tell, they are asked
 *   singly; until it has come, nothing leaves that could change what they would answer.
 * - A steady getter that is asked again while it waits shares the answer.
 *
 * Everything else leaves at once. The order among calls is kept wherever it can be seen: in values, effects and errors.
 */
export class CallMerger {
  readonly #phase: Phase;
  readonly #lane: CallLane;
  #runs: SetterRun[] = [];
  #gatherings: Gathering[] = [];
  /** Plurals on their way, and the parts that they read. */
  #owed: { readonly part: number; readonly asked: Asked }[] = [];
  #putOff: PutOff[] = [];
  /** Steady calls that were made since something changed what they read. */
  #steady: PendingCall[] = [];

  constructor(phase: Phase, lane: CallLane) {
    this.#phase = phase;
    this.#lane = lane;
  }

  /** Whether a call is any of a merger's business while there is none. */
  static concerns({ steady, merging }: FunctionRow): boolean {
    return steady != null || merging != null;
  }

  /** A call whose answer matters. */
  ask(call: PendingCall): void {
    if (this.#putOff.length > 0 || this.#mustWait(effectsOf(call.row))) this.#putOff.push({ call });
    else this.#ask(call);
  }

  /** A call whose answer carries nothing. @throws KongTsError where it cannot be written */
  tell(row: FunctionRow, args: readonly unknown[]): void {
    const effects = effectsOf(row);
    if (this.#putOff.length > 0) this.#putOff.push({ call: null, row, args: kept(args) });
    else if (!this.#joins(row, args, effects)) {
      if (this.#mustWait(effects)) this.#putOff.push({ call: null, row, args: kept(args) });
      else this.#tell(row, args, effects);
    }
  }

  /** Everything that ran in this turn has had its say. */
  turnEnded(): void {
    const gatherings = this.#gatherings;
    this.#gatherings = [];
    for (const { plural, calls } of gatherings) this.#leave(plural, calls);
  }

  /** A plural is on its way that was asked for elsewhere. `told` follows where somebody waits for its answer. */
  owe(part: number, asked: Asked): void {
    this.#owed.push({ part, asked });
  }

  /** The answer of a plural has come. @param again calls that it does not tell */
  told(again: readonly PendingCall[]): void {
    this.#owed = this.#owed.filter(({ asked }) => asked.waitsFor !== null);
    for (const call of again) this.#say(call, call.args);
    const putOff = this.#putOff;
    this.#putOff = [];
    for (const each of putOff) this.#resume(each);
  }

  /** The end of the event follows: what was held leaves. Getters that nobody can hear the answer of do not. */
  finish(): void {
    this.#owed = [];
    const putOff = this.#putOff;
    this.#putOff = [];
    for (const each of putOff) this.#resume(each);
    for (const run of this.#runs) this.#sayRun(run);
    this.#runs = [];
  }

  #resume(each: PutOff): void {
    if (each.call !== null) {
      this.ask(each.call);
      return;
    }
    try {
      this.tell(each.row, each.args);
    } catch (error) {
      this.#lane.lost(each.row, error);
    }
  }

  #ask(call: PendingCall): void {
    const { row, args } = call;
    const effects = effectsOf(row);
    this.#makeWayFor(effects);
    this.#forget(effects);
    const plural = call.raw ? null : pluralOf(row, args, this.#phase);
    if (plural !== null) this.#gather(plural, call);
    else if (call.raw || !canShare(row, args) || !this.#shares(call)) this.#say(call, args);
  }

  #tell(row: FunctionRow, args: readonly unknown[], effects: Effects): void {
    this.#makeWayFor(effects);
    this.#forget(effects);
    if (!this.#joins(row, args, effects)) this.#lane.saySend(row, args);
  }

  /** Holds a setter in a run. @returns false where it cannot be merged, or not with what the run holds */
  #joins(row: FunctionRow, args: readonly unknown[], effects: Effects): boolean {
    const fields = fieldsOf(row, args);
    if (fields === null) return false;
    let run = this.#runs.find((each) => each.into === fields.into);
    if (run === undefined) this.#runs.push((run = new SetterRun(row, fields)));
    else if (!run.takes(fields)) return false;
    this.#forget(effects);
    if (run.full && !this.#mustWait(effects)) this.#leaveRun(run);
    return true;
  }

  /** Answers that are on their way are not those of calls that come after a change. */
  #forget({ changes }: Effects): void {
    if (changes !== 0 && this.#steady.length > 0)
      this.#steady = this.#steady.filter((call) => (effectsOf(call.row).reads & changes) === 0);
  }

  /** Whether a call, or the runs that have to leave before it, could change what a plural on its way has not told. */
  #mustWait(effects: Effects): boolean {
    if (this.#owed.length === 0) return false;
    let parts = effects.changes;
    for (const run of this.#runs) if (leavesBefore(run, effects)) parts |= run.part;
    return this.#owed.some(({ part, asked }) => (part & parts) !== 0 && asked.waitsFor !== null);
  }

  #gather(plural: Plural, call: PendingCall): void {
    const open = this.#gatherings.find((each) => each.plural === plural);
    if (open !== undefined) {
      open.calls.push(call);
      return;
    }
    this.#gatherings.push({ plural, calls: [call] });
    this.#lane.planTurn();
  }

  /** @returns true where another call's answer is this one's, too */
  #shares(call: PendingCall): boolean {
    this.#steady = this.#steady.filter((each) => !each.answered);
    const same = this.#steady.find((each) => each.row === call.row && isSame(each.args, call.args));
    if (same === undefined) {
      this.#steady.push(call);
      return false;
    }
    same.share(call);
    this.#lane.countMerged(1);
    return true;
  }

  /** Calls of one turn leave, as one where they ask for two or more. */
  #leave(plural: Plural, calls: readonly PendingCall[]): void {
    const single = this.#withoutTwins(calls);
    if (single.length < 2) {
      for (const call of single) this.#say(call, call.args);
      return;
    }
    const merged = new MergedCall(plural, single, (again) => {
      this.#lane.countMerged(Math.max(0, single.length - again.length - 1));
      this.told(again);
    });
    this.owe(plural.part, merged);
    this.#say(merged, merged.args);
  }

  /** One call for each name that is asked for; the others share its answer. */
  #withoutTwins(calls: readonly PendingCall[]): PendingCall[] {
    const byName = new Map<unknown, PendingCall>();
    for (const call of calls) {
      const first = byName.get(call.args[0]);
      if (first === undefined) byName.set(call.args[0], call);
      else {
        first.share(call);
        this.#lane.countMerged(1);
      }
    }
    return [...byName.values()];
  }

  /**
   * Held calls that could see this call, or be seen by it, leave before it. All of them do where Kong may fail at the
   * call.
   */
  #makeWayFor(effects: Effects): void {
    for (const run of this.#runs) if (leavesBefore(run, effects)) this.#leaveRun(run);
    if (effects.changes !== 0) this.#leaveSingly(effects.changes);
    if (effects.mayRaise) this.turnEnded();
  }

  #say(call: Asked, args: readonly unknown[]): void {
    try {
      this.#lane.sayCall(call, args);
    } catch (error) {
      call.failed(error);
    }
  }

  #leaveRun(run: SetterRun): void {
    this.#leaveSingly(run.part);
    this.#runs = this.#runs.filter((each) => each !== run);
    this.#sayRun(run);
  }

  /** Getters of this turn leave before what may change the parts that they read. */
  #leaveSingly(parts: number): void {
    for (const gathering of this.#gatherings) {
      if ((gathering.plural.part & parts) === 0) continue;
      this.#gatherings = this.#gatherings.filter((each) => each !== gathering);
      for (const call of this.#withoutTwins(gathering.calls)) this.#say(call, call.args);
    }
  }

  #sayRun(run: SetterRun): void {
    const { row, args } = run.call;
    try {
      this.#lane.saySend(row, args);
    } catch (error) {
      this.#lane.lost(row, error);
      return;
    }
    if (run.calls > 1) this.#lane.countMerged(run.calls - 1);
  }
}

function leavesBefore({ part }: SetterRun, { reads, changes, mayRaise }: Effects): boolean {
  return mayRaise || (part & (reads | changes)) !== 0;
}

function isSame(some: readonly unknown[], others: readonly unknown[]): boolean {
  return some.length === others.length && some.every((value, at) => value === others[at]);
}

/** Arguments that leave later: what the plugin can still write to is copied. */
function kept(args: readonly unknown[]): readonly unknown[] {
  return args.map(keptValue);
}

function keptValue(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  if (Array.isArray(value)) return kept(value);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) setOwn(copy, name, keptValue(item));
  return copy;
}
