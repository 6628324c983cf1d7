/** The ids of the latest events, so that an event which is sent again (its acknowledgement was lost) fires once. */
export class RecentIds {
  #young = new Set<string>();
  #old = new Set<string>();
  readonly #half: number;

  /** @param size how many ids are remembered at least */
  constructor(size = 50_000) {
    this.#half = size;
  }

  has(id: string): boolean {
    return this.#young.has(id) || this.#old.has(id);
  }
  add(id: string): void {
    this.#young.add(id);
    if (this.#young.size < this.#half) return;
    this.#old = this.#young;
    this.#young = new Set();
  }
  delete(id: string): void {
    this.#young.delete(id);
    this.#old.delete(id);
  }
}
