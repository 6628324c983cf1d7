import type { Buffer } from 'node:buffer';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { ContextValues, FunctionRow, KongFacts, PhaseChannel } from '../../pdk/index.ts';
import { rowByName, ExitSignal } from '../../pdk/events/index.ts';
import type { Phase, Protocol } from '../../pdk/names/index.ts';
import { observe } from '../metrics/phase-stats.ts';
import type { PhaseStats } from '../metrics/phase-stats.ts';
import type { DeadlineList, Timed } from './deadlines.ts';
import type { RunningInstance } from './host.ts';
import { rejected } from './pending-call.ts';
import type { Decode } from './pending-call.ts';
import { LastWords } from './last-words.ts';
import type { Runtime } from './runtime.ts';
import { failureExit } from './failure-exit.ts';
import type { EventState } from './event-state.ts';
import { readable, isThenable } from './thrown.ts';

/** Phases that tell what kind of connection there is. */
const subsystemOf: Partial<Record<Phase, 'http' | 'stream'>> = {
  rewrite: 'http',
  access: 'http',
  response: 'http',
  preread: 'stream',
};

/**
 * One phase of one request. An event runs the handler once and turns the outcome into the end of the event. The two
 * protocols differ in how calls travel and how Kong learns of the end.
 */
export abstract class PhaseEvent implements PhaseChannel, Timed {
  abstract readonly protocol: Protocol;
  readonly phase: Phase;
  readonly instance: RunningInstance;
  protected readonly runtime: Runtime;
  readonly #stats: PhaseStats;
  readonly #startedAt: number;
  readonly #facts: KongFacts;
  /** Its place in the host's register of events in flight. */
  readonly #place: number;
  #state: EventState = 'running';
  /** The event did not end by the return of the handler, so a later call is not always a forgotten `await`. */
  #cut = false;
  /** Work that was started and keeps the event open after its handler has returned. */
  #held = 0;

  deadlineAt = 0;
  deadlineList: DeadlineList | null = null;
  deadlinePrevious: Timed | null = null;
  deadlineNext: Timed | null = null;

  /**
   * @param ticket of the connection that the event lives on; 0 when it lives on none
   * @param eventId by which Kong steps it; 0 when it does not
   */
  constructor(runtime: Runtime, instance: RunningInstance, phase: Phase, ticket = 0, eventId = 0) {
    this.runtime = runtime;
    this.instance = instance;
    this.phase = phase;
    this.#stats = instance.stats[phase];
    this.#startedAt = runtime.clock.now();
    this.#facts = instance.facts ?? { subsystem: null, readsBodyFiles: null };
    this.#facts.subsystem ??= subsystemOf[phase] ?? null;
    runtime.counts.events++;
    instance.usage.events++;
    this.#place = runtime.host.inFlight?.enter(instance.id, phase, ticket, eventId) ?? -1;
  }

  get facts(): KongFacts {
    return this.#facts;
  }

  get context(): ContextValues | undefined {
    return this.instance.context;
  }

  get state(): EventState {
    return this.#state;
  }

  get ended(): boolean {
    switch (this.#state) {
      case 'running':
      case 'held':
      case 'speaking':
      case 'speakingHeld':
        return false;
      default:
        return true;
    }
  }

  abstract ask(row: FunctionRow, args: readonly unknown[], decode: Decode | null): Promise<unknown>;
  abstract send(row: FunctionRow, args: readonly unknown[]): void;

  /** Sends the call that ends the request. */
  protected abstract sendExit(row: FunctionRow, args: readonly unknown[]): void;
  /** Tells Kong that the plugin is done. */
  protected abstract sendDone(): void;
  /** The event is over: the connection may go on. */
  protected abstract left(): void;
  /** Rejects the calls that are still waiting, with `unanswered()` where no reason is given. */
  protected abstract rejectCalls(reason: KongTsError | null): void;
  /** Names the party to blame when the time is over: null for the plugin, a text when Kong never came back. */
  protected abstract waitingForKong(): string | null;

  call(row: FunctionRow, args: readonly unknown[]): Promise<unknown> {
    return this.ask(row, args, null);
  }

  lastWords(): PhaseChannel {
    this.#cut = true;
    if (this.#state === 'running') this.#state = 'leaving';
    else if (this.#state === 'held') this.#state = 'leavingHeld';
    return new LastWords(this, (speak) => this.#say(speak));
  }

  hold(work: Promise<unknown>): void {
    if (this.#state === 'ended') return;
    this.#held++;
    const release = () => {
      if (--this.#held > 0) return;
      if (this.#state === 'held' || this.#state === 'leavingHeld') this.#finish();
    };
    work.then(release, release);
  }

  readFile(path: string, maxBytes?: number): Promise<Buffer> {
    const { bodyFiles } = this.runtime.host;
    if (bodyFiles !== null) return bodyFiles.read(path, maxBytes);
    return rejected(
      new KongTsError('PDK_BODY_UNAVAILABLE', `Reading ${path} is switched off on this server.`),
    );
  }

  /** Runs the handler. Never throws. */
  run(): void {
    const handler = this.instance.handlers.phases[this.phase];
    if (handler === undefined) {
      this.#returned();
      return;
    }
    try {
      const { plugin } = this.instance;
      const kong = plugin.bindKong === undefined ? this.runtime.host.createKong(this) : plugin.bindKong(this);
      const result = handler(kong, this.instance.config);
      if (!isThenable(result)) {
        this.#returned();
        return;
      }
      if (this.#state !== 'ended') this.runtime.deadlines.add(this, this.instance.plugin.phaseTimeout);
      const settled = result instanceof Promise ? result : Promise.resolve(result);
      settled.then(
        () => this.#returned(),
        (thrown: unknown) => this.#threw(thrown),
      );
    } catch (thrown) {
      this.#threw(thrown);
    }
  }

  exit(row: FunctionRow, args: readonly unknown[]): Promise<never> {
    if (this.ended) return rejected(this.endedError(row));
    try {
      this.sendExit(row, args);
    } catch (error) {
      // The handler hears of it, and its failure ends the event.
      if (this.#state === 'speaking') this.#state = 'running';
      else if (this.#state === 'speakingHeld') this.#state = 'held';
      return rejected(error);
    }
    this.#stats.exits++;
    this.#cut = true;
    this.end();
    this.left();
    return rejected(new ExitSignal());
  }

  /** The connection is gone, or Kong has given the event up. The event can neither send anything nor tell anybody. */
  abandon(why: string): void {
    if (this.#state === 'ended') return;
    this.#cut = true;
    this.end(
      new KongTsError(
        'PDK_CALL_FAILED',
        `Kong has ended the ${this.phase} phase of ${this.#name()}: ${why}.`,
      ),
    );
  }

  /**
   * The answer that ends the event for Kong has come. The event still counts until its handler has returned, so that
   * nothing is closed under a handler that works on the answer.
   */
  answered(): void {
    const returned = this.#state === 'awaited';
    if (!returned && this.#state !== 'asked') return;
    this.#state = 'answered';
    if (returned) this.end();
  }

  /** The phase ran into its time limit. */
  expired(): void {
    if (this.#state === 'ended') return;
    this.#cut = true;
    const waiting = this.#state === 'answered' ? null : this.waitingForKong();
    const limit = this.instance.plugin.phaseTimeout;
    this.#stats.timeouts++;
    this.#fail(
      new KongTsError(
        'PHASE_TIMEOUT',
        waiting === null
          ? `The ${this.phase} phase of ${this.#name()} ran longer than ${limit} ms.`
          : `The ${this.phase} phase of ${this.#name()} was given up after ${limit} ms: ${waiting}.`,
      ),
    );
  }

  tooLate(refusal: Error): void {
    if (!this.#cut) this.runtime.lateCalls.add(this.#name(), this.phase, refusal);
  }

  /** What a call after the end of the event rejects with. */
  endedError(row: FunctionRow): KongTsError {
    return new KongTsError(
      'PDK_EVENT_ENDED',
      `${row.name} was called after the ${this.phase} phase of ${this.#name()} had ended.`,
      { fix: 'Await every call, and do nothing after kong.response.exit.' },
    );
  }

  /**
   * Whether the end may leave before the handler is done, because nothing that the handler does can matter to Kong any
   * more.
   */
  protected mayEndEarly(): boolean {
    return this.phase === 'log' && this.#state === 'running' && this.#held === 0;
  }

  /** The end leaves now. `answered` follows, unless the event ends before. */
  protected endEarly(): void {
    if (this.#state === 'running') this.#state = 'asked';
  }

  protected countCall(): void {
    this.#stats.calls++;
  }

  /** @param calls that were asked for before the handler asked */
  protected countPrefetched(calls: number): void {
    this.#stats.prefetched += calls;
  }

  /** The handler has asked for something that was asked for before. */
  protected countPrefetchUsed(): void {
    this.#stats.prefetchUsed++;
  }

  /** Calls had no frame of their own. */
  countMerged(calls: number): void {
    this.#stats.merged += calls;
  }

  protected countSend(): void {
    this.#stats.sends++;
  }

  /** Marks the end; from here on nothing is sent. */
  protected end(reason?: KongTsError): void {
    // Once the last answer has come, bytes that wait on the connection belong to another event.
    const rejects = this.#state !== 'answered';
    this.#state = 'ended';
    this.runtime.deadlines.remove(this);
    this.runtime.counts.events--;
    this.runtime.host.inFlight?.leave(this.#place);
    const { usage } = this.instance;
    if (--usage.events === 0) usage.whenIdle?.();
    observe(this.#stats, (this.runtime.clock.now() - this.#startedAt) / 1000);
    if (rejects) this.rejectCalls(reason ?? null);
  }

  /** The error with which waiting calls reject. It is made only if a call waits, because an error is not cheap. */
  protected unanswered(): KongTsError {
    const text = `The ${this.phase} phase of ${this.#name()} ended before the answer.`;
    return new KongTsError('PDK_EVENT_ENDED', text);
  }

  /** Says one of the last words, for which the event is not over. */
  #say<T>(speak: () => T): T {
    if (this.#state === 'leaving') this.#state = 'speaking';
    else if (this.#state === 'leavingHeld') this.#state = 'speakingHeld';
    try {
      return speak();
    } finally {
      if (this.#state === 'speaking') this.#state = 'leaving';
      else if (this.#state === 'speakingHeld') this.#state = 'leavingHeld';
    }
  }

  #returned(): void {
    switch (this.#state) {
      case 'answered':
        this.end();
        return;
      case 'asked':
        this.#waitOn('awaited');
        return;
      case 'running':
        if (this.#held > 0) this.#waitOn('held');
        else this.#finish();
        return;
      case 'leaving':
        if (this.#held > 0) this.#waitOn('leavingHeld');
        else this.#finish();
        return;
      default:
    }
  }

  /** The handler has returned, and the event is not over. */
  #waitOn(state: 'held' | 'leavingHeld' | 'awaited'): void {
    this.#state = state;
    if (this.deadlineList === null) this.runtime.deadlines.add(this, this.instance.plugin.phaseTimeout);
  }

  /** All is done: Kong is told. */
  #finish(): void {
    this.sendDone();
    this.end();
    this.left();
  }

  #threw(what: unknown): void {
    const thrown = readable(what);
    const over = this.#state === 'ended' || this.#state === 'leaving';
    if (over) {
      if (!isEventOver(thrown)) this.#log('warn', 'the handler failed after its event had ended', thrown);
      this.#returned();
    } else if (thrown instanceof ExitSignal) this.#returned();
    else if (this.#state === 'asked' || this.#state === 'answered') {
      if (!isEventOver(thrown)) this.#failed(thrown);
      this.#returned();
    } else this.#fail(thrown);
  }

  #failed(thrown: unknown): void {
    this.#stats.errors++;
    this.#log('error', 'the handler failed', thrown);
  }

  #fail(thrown: unknown): void {
    this.#failed(thrown);
    if (this.#state === 'answered') {
      this.end();
      return;
    }
    if (this.#state === 'asked' || this.#state === 'awaited') {
      this.end();
      this.left();
      return;
    }
    const exit = rowByName('kong.response.exit');
    const args = this.instance.plugin.onError === 'fail' ? failureExit(this.phase) : null;
    if (args !== null && exit !== null) this.sendExit(exit, args);
    else this.sendDone();
    this.end();
    this.left();
  }

  #log(level: 'error' | 'warn', message: string, thrown: unknown): void {
    this.runtime.host.log[level](`${this.#name()}, ${this.phase}: ${message}: ${messageOf(thrown)}`, {
      plugin: this.#name(),
      phase: this.phase,
      instance: this.instance.id,
      ...(KongTsError.is(thrown) ? { code: thrown.code } : {}),
      ...(thrown instanceof Error && thrown.stack !== undefined ? { stack: thrown.stack } : {}),
    });
  }

  #name(): string {
    return this.instance.plugin.name;
  }
}

/** True for the error with which calls reject once their event is over. It is not a failure. */
export function isEventOver(thrown: unknown): boolean {
  return (
    thrown instanceof ExitSignal ||
    (thrown instanceof KongTsError &&
      (thrown.code === 'PDK_EVENT_ENDED' || thrown.code === 'PDK_CALL_FAILED'))
  );
}
