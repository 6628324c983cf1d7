const most = 1000;

/** Requests whose failure made others fail, too. They go alone when they are tried again. The oldest are forgotten. */
export class Suspects {
  readonly #ids = new Set<string>();

  has(id: string | undefined): boolean {
    return id !== undefined && this.#ids.has(id);
  }
  add(id: string | undefined): void {
    if (id === undefined) return;
    this.#ids.add(id);
    if (this.#ids.size <= most) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      return;
    }
  }
  clear(id: string | undefined): void {
    if (id !== undefined) this.#ids.delete(id);
  }
}
