import type { Phase } from '../../pdk/names/index.ts';
import type { Exchange } from '../request/exchange.ts';

/** The data of a request that Kong keeps for the log timer of one plugin (`req_data` of Kong 3.9.3). */
export interface SavedRequest {
  readonly pluginName: string;
  readonly exchange: Exchange;
}

/** A Lua coroutine of an nginx worker. */
export interface Coroutine {
  /** The data that a log timer has left on it. Plugins that run on it read that in place of their own request. */
  saved: SavedRequest | null;
}

/** Phases that run plugins in the coroutine of the handler itself; access and preread make a new one for each. */
const inHandler: ReadonlySet<Phase> = new Set(['rewrite', 'response'] as const);

/**
 * The coroutines of one nginx worker. nginx uses an ended coroutine again for the next handler or timer, and takes the
 * one that ended last first.
 */
export class Coroutines {
  readonly #idle: Coroutine[] = [];

  /** Runs a plugin in a phase of a request, with the data that an earlier timer has left on its coroutine. */
  async handler<Result>(
    phase: Phase,
    work: (saved: SavedRequest | null) => Promise<Result>,
  ): Promise<Result> {
    return this.#with((coroutine) => work(inHandler.has(phase) ? coroutine.saved : null));
  }

  /**
   * Runs a plugin's log event in a timer. Kong puts the request aside for it and clears that when the event has ended.
   * If anything throws (above all a KongRaised), the request stays until another timer ends well on the coroutine.
   */
  async timer<Result>(saved: SavedRequest, work: (saved: SavedRequest) => Promise<Result>): Promise<Result> {
    return this.#with(async (coroutine) => {
      coroutine.saved = saved;
      const result = await work(saved);
      coroutine.saved = null;
      return result;
    });
  }

  async #with<Result>(work: (coroutine: Coroutine) => Promise<Result>): Promise<Result> {
    const coroutine = this.#idle.pop() ?? { saved: null };
    try {
      return await work(coroutine);
    } finally {
      this.#idle.push(coroutine);
    }
  }
}
