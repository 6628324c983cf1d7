import type { FunctionRow } from '../../pdk/index.ts';
import type { Phase } from '../../pdk/names/index.ts';
import { Prefetch } from './prefetch.ts';
import type { PluralTold } from './prefetch.ts';
import { isCall, PrefetchPlan } from './prefetch-plan.ts';
import type { PlannedCall } from './prefetch-plan.ts';
import type { Candidate, PrefetchLessons } from './prefetch.ts';

/** Events that a candidate is compared with before it becomes a plan. */
const observedEvents = 32;
/** A position of the candidate becomes part of the plan when at least this part of the events reached it. */
const reachedShare = 0.75;
/** After this many events with a plan, the learner checks how many answers were of use. */
const window = 64;
/** The learner gives a plan up when a larger part of its answers than this was of no use. */
const wastedShare = 0.3;
/** It also gives a plan up when a larger part of the events than this began with another call. */
const missedShare = 0.5;
/**
 * After an observation that gave no plan, or a plan that was given up, the learner ignores this many events. The number
 * doubles every time.
 */
const firstRest = 32;
const longestRest = 4096;
/** Events after which a plan that works is compared with what handlers do now. */
const learnAgain = 4096;

/**
 * Learns which steady getters a handler begins with, for one phase of one configuration. The calls of one event are the
 * candidate. The learner compares the next events with it, and the calls that most of them make become the plan. It
 * gives up plans whose answers are not used, with pauses that double. It learns plans that work anew now and then.
 */
export class PrefetchLearner implements PrefetchLessons {
  readonly #merges: Phase | null;
  readonly #ahead: boolean;
  #plan: PrefetchPlan | null = null;
  #candidate: Candidate | null = null;
  /** An event is writing down the next candidate. */
  #building = false;
  /** Events that were looked at in vain for a candidate. */
  #failures = 0;
  /** Events until the next observation. */
  #rest = 0;
  #nextRest = firstRest;
  /** Since the last look at the plan: events, events that began with another call, answers, answers of use. */
  #events = 0;
  #missed = 0;
  #prefetched = 0;
  #used = 0;

  /**
   * @param merges the phase in whose events calls are merged. Default: each is made by itself
   * @param ahead false where Kong takes one call at a time, so that a plan is worth what is merged in it. Default: true
   */
  constructor(merges: Phase | null = null, ahead = true) {
    this.#merges = merges;
    this.#ahead = ahead;
  }

  /** The plan in force. */
  get plan(): PrefetchPlan | null {
    return this.#plan;
  }

  /** Called at the first steady call of an event. Null while nothing is known and there is nothing to learn. */
  begin(row: FunctionRow, args: readonly unknown[], told: PluralTold | null = null): Prefetch | null {
    const observes = this.#observes();
    let plan = this.#plan;
    if (plan !== null && !isCall(plan.calls[0] as PlannedCall, row, args)) {
      this.#missed++;
      this.#looked();
      plan = null;
    }
    if (plan === null && !observes) return null;
    const builds = observes && this.#candidate === null;
    if (builds) this.#building = true;
    return new Prefetch(this, plan, observes ? this.#candidate : null, builds, told);
  }

  built(calls: readonly PlannedCall[]): void {
    this.#building = false;
    if (calls.length >= 2) {
      this.#candidate = { calls, hits: calls.map(() => 1), events: 1 };
      this.#failures = 0;
    } else if (++this.#failures >= observedEvents) this.#giveUp();
  }

  observed(candidate: Candidate, seen: number): void {
    if (candidate !== this.#candidate) return;
    for (let at = 0; at < candidate.hits.length; at++) {
      if ((seen & (1 << at)) !== 0) (candidate.hits[at] as number)++;
    }
    if (++candidate.events >= observedEvents) this.#conclude(candidate);
  }

  spent(plan: PrefetchPlan, used: number): void {
    if (plan !== this.#plan) return;
    this.#prefetched += plan.calls.length - 1;
    this.#used += used;
    this.#looked();
  }

  failed(plan: PrefetchPlan): void {
    if (plan !== this.#plan) return;
    this.#nextRest = longestRest;
    this.#giveUp();
  }

  #observes(): boolean {
    if (this.#rest > 0) {
      this.#rest--;
      return false;
    }
    return this.#candidate !== null || !this.#building;
  }

  #conclude({ calls, hits, events }: Candidate): void {
    this.#candidate = null;
    const reached = calls.filter((_, at) => (hits[at] as number) >= events * reachedShare);
    if (reached.length < 2) {
      this.#giveUp();
      return;
    }
    // A plan that lived until here was of use. So the next failure does not pay for an older one's pause.
    if (this.#plan !== null) this.#nextRest = firstRest;
    this.#rest = learnAgain;
    if (this.#plan !== null && sameCalls(this.#plan.calls, reached)) return;
    try {
      const plan = new PrefetchPlan(reached, this.#merges);
      if (this.#ahead ? plan.bytes.length > 0 : plan.frames.length < reached.length) this.#take(plan);
      else this.#giveUp();
    } catch {
      // A call that cannot be written fails later, where the plugin makes it.
      this.#giveUp();
    }
  }

  #giveUp(): void {
    this.#take(null);
    this.#candidate = null;
    this.#failures = 0;
    this.#rest = this.#nextRest;
    this.#nextRest = Math.min(this.#nextRest * 2, longestRest);
  }

  #take(plan: PrefetchPlan | null): void {
    this.#plan = plan;
    this.#events = this.#missed = this.#prefetched = this.#used = 0;
  }

  #looked(): void {
    if (++this.#events < window) return;
    const wasted = this.#prefetched - this.#used;
    if (wasted > this.#prefetched * wastedShare || this.#missed > this.#events * missedShare) this.#giveUp();
    else this.#events = this.#missed = this.#prefetched = this.#used = 0;
  }
}

function sameCalls(some: readonly PlannedCall[], others: readonly PlannedCall[]): boolean {
  return (
    some.length === others.length &&
    some.every((call, at) => isCall(others[at] as PlannedCall, call.row, call.args))
  );
}

/**
 * Phases in which answers are asked for ahead. In `log`, `preread` and `certificate` one instance sees connections of
 * different kinds, for which Kong takes different calls.
 */
const phases: ReadonlySet<Phase> = new Set(['rewrite', 'access', 'response']);

/** What is known about the handlers of one configuration. */
export class PrefetchLearners {
  readonly #merges: boolean;
  readonly #ahead: boolean;
  readonly #learners = new Map<Phase, PrefetchLearner>();

  /**
   * @param options.merges whether calls are merged. Default: no
   * @param options.ahead whether Kong takes calls that it is not waiting for, as over ProtoBuf:1. Default: yes
   */
  constructor({ merges = false, ahead = true }: { merges?: boolean; ahead?: boolean } = {}) {
    this.#merges = merges;
    this.#ahead = ahead;
  }

  /** Null for a phase in which nothing is asked for ahead. */
  of(phase: Phase): PrefetchLearner | null {
    let learner = this.#learners.get(phase);
    if (learner === undefined && phases.has(phase)) {
      learner = new PrefetchLearner(this.#merges ? phase : null, this.#ahead);
      this.#learners.set(phase, learner);
    }
    return learner ?? null;
  }
}
