/** The deliveries that are neither made nor given up, by hook, as far as this process knows. */
export class DeliveryBacklog {
  readonly #byHook = new Map<string, number>();
  #total = 0;

  /** Over all hooks. */
  get total(): number {
    return this.#total;
  }
  of(hookId: string): number {
    return this.#byHook.get(hookId) ?? 0;
  }

  /** Sets the existing hooks, and forgets the numbers of all others. */
  keepHooks(ids: readonly string[]): void {
    const kept = new Set(ids);
    for (const id of this.#byHook.keys()) {
      if (kept.has(id)) continue;
      this.set(id, 0);
      this.#byHook.delete(id);
    }
    for (const id of kept) if (!this.#byHook.has(id)) this.#byHook.set(id, 0);
  }

  /** An event has fired the hook. */
  began(hookId: string): void {
    this.set(hookId, this.of(hookId) + 1);
  }
  /** A delivery was made or given up. */
  ended(hookId: string): void {
    this.set(hookId, this.of(hookId) - 1);
  }

  /**
   * Sets what the store holds (at a start, a takeover or a replay), but not for a hook that does not exist. Never below
   * zero: this process may see the end of a delivery that another process was asked to make again.
   */
  set(hookId: string, count: number): void {
    const before = this.#byHook.get(hookId);
    if (before === undefined) return;
    const now = Math.max(0, count);
    this.#byHook.set(hookId, now);
    this.#total += now - before;
  }
}
