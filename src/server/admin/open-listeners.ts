import type { AdminListener } from './listeners.ts';

/**
 * The admin listeners of a server. One that is still being opened when the server ends is waited for and closed, too: a
 * control socket that stayed behind would look like a live server's.
 */
export class OpenListeners {
  readonly #opened: AdminListener[] = [];
  readonly #opening = new Set<Promise<void>>();
  #closed = false;

  get addresses(): readonly string[] {
    return this.#opened.map(({ address }) => address);
  }

  /** Opens nothing once they are closed. @throws what `listen` throws */
  async open(listen: () => Promise<AdminListener>): Promise<void> {
    if (this.#closed) return;
    const opening = this.#open(listen);
    this.#opening.add(opening);
    try {
      await opening;
    } finally {
      this.#opening.delete(opening);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#opening);
    await Promise.all(this.#opened.map((listener) => listener.close()));
  }

  async #open(listen: () => Promise<AdminListener>): Promise<void> {
    const listener = await listen();
    if (this.#closed) await listener.close();
    else this.#opened.push(listener);
  }
}
