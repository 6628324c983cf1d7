import type { Phase } from '../../pdk/names/index.ts';
import { listed, misuse } from '../misuse.ts';

/** The phases of an HTTP request and of a TCP connection, in Kong's order. */
export const orders: Readonly<Record<'http' | 'stream', readonly Phase[]>> = {
  http: ['certificate', 'rewrite', 'access', 'response', 'log'],
  stream: ['certificate', 'preread', 'log'],
};

/** Phases that Kong runs before it knows what a request belongs to: only global configurations have them. */
const globalOnly: ReadonlySet<Phase> = new Set(['certificate', 'rewrite'] as const);

/** Which phases of a request have run, and which may still. */
export class PhasePlan {
  readonly #order: readonly Phase[];
  readonly #known: readonly Phase[] | null;
  readonly #plugin: string;
  readonly #scoped: boolean;
  #reached = -1;
  #endedIn: Phase | null = null;

  /**
   * @param known the phases that the plugin announces, null when nobody knows
   * @param scoped whether the configuration is limited to a route, service or consumer
   */
  constructor(plugin: string, subsystem: 'http' | 'stream', known: readonly Phase[] | null, scoped: boolean) {
    this.#plugin = plugin;
    this.#scoped = scoped;
    this.#order = orders[subsystem];
    this.#known = known;
  }

  /** What is left to run, in order. */
  get remaining(): readonly Phase[] {
    return this.#order.filter(
      (phase, at) =>
        at > this.#reached &&
        (this.#known?.includes(phase) ?? true) &&
        !(this.#scoped && globalOnly.has(phase)),
    );
  }

  get ended(): boolean {
    return this.#endedIn !== null;
  }

  /** The request was ended in this phase: only log is left. */
  end(phase: Phase): void {
    this.#endedIn ??= phase;
  }

  /** @throws KongTsError TEST_MISUSE when Kong would not run the phase now */
  enter(phase: Phase): void {
    const at = this.#order.indexOf(phase);
    if (this.#known !== null && !this.#known.includes(phase)) {
      throw misuse(
        `The plugin ${this.#plugin} has no ${phase} phase.`,
        `It has ${listed(this.#known, 'and')}; give it a ${phase} handler or run another phase.`,
      );
    }
    if (at < 0) {
      const stream = phase === 'preread';
      throw misuse(
        `${phase} is not a phase of ${stream ? 'an HTTP request' : 'a TCP connection'}.`,
        stream ? "Describe one: subsystem: 'stream'." : "Leave subsystem: 'stream' out of the description.",
      );
    }
    if (this.#scoped && globalOnly.has(phase)) {
      throw misuse(
        `Kong runs ${phase} for global configurations only, since nothing else is known yet.`,
        'Leave scope out, or run another phase.',
      );
    }
    if (at <= this.#reached) {
      throw misuse(
        `The request has been through ${this.#order[this.#reached] as Phase} already, so that ${phase} cannot run on it.`,
        'Begin another one with request().',
      );
    }
    if (this.#endedIn !== null && phase !== 'log') {
      throw misuse(
        `The request ended in ${this.#endedIn}, so that Kong would not run ${phase}.`,
        'Look at exit, or begin another request with request(). Only log still runs.',
      );
    }
    this.#reached = at;
  }
}
