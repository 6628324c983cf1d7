import type { FunctionRow, KongFacts, PhaseChannel } from '../../pdk/index.ts';
import type { Phase, Protocol } from '../../pdk/names/index.ts';

/** The channel of the call that ends the request, when the event is over for all other calls. */
export class LastWords implements PhaseChannel {
  readonly protocol: Protocol;
  readonly phase: Phase;
  readonly facts?: KongFacts;
  readonly #event: PhaseChannel;
  readonly #speaking: <T>(speak: () => T) => T;

  /** @param speaking runs something for which the event is not over */
  constructor(event: PhaseChannel, speaking: <T>(speak: () => T) => T) {
    this.protocol = event.protocol;
    this.phase = event.phase;
    if (event.facts !== undefined) this.facts = event.facts;
    this.#event = event;
    this.#speaking = speaking;
  }

  get ended(): boolean {
    return this.#speaking(() => this.#event.ended);
  }

  call(row: FunctionRow, args: readonly unknown[]): Promise<unknown> {
    return this.#speaking(() => this.#event.call(row, args));
  }

  send(row: FunctionRow, args: readonly unknown[]): void {
    this.#speaking(() => this.#event.send(row, args));
  }

  exit(row: FunctionRow, args: readonly unknown[]): Promise<never> {
    return this.#speaking(() => this.#event.exit(row, args));
  }
}
