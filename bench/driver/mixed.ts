import type { Client } from './job.ts';

/** A plugin of each protocol on one socket path: every second event is the other's, on the same connections. */
export class MixedClient implements Client {
  readonly #clients: readonly [Client, Client];
  #turn = 0;

  constructor(...clients: [Client, Client]) {
    this.#clients = clients;
  }

  get running(): number {
    return this.#clients[0].running + this.#clients[1].running;
  }

  get calls(): number {
    return this.#clients[0].calls + this.#clients[1].calls;
  }

  run(phase: string, done: (error: Error | null) => void): void {
    this.#turn = 1 - this.#turn;
    this.#clients[this.#turn === 0 ? 0 : 1].run(phase, done);
  }
}
