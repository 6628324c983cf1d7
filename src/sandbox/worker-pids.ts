/** Process ids of the simulated nginx workers: new ones after each reload, as nginx has them. */
export class WorkerPids {
  #now: readonly number[];

  constructor(workers: number) {
    this.#now = Array.from({ length: workers }, (_, index) => process.pid + index);
  }

  get now(): readonly number[] {
    return this.#now;
  }

  renew(): void {
    this.#now = this.#now.map((pid) => pid + this.#now.length);
  }
}
