import type { SeenFile } from '../../base/file-signature.ts';
import { signatureOf } from '../../base/file-signature.ts';

/**
 * The files that plugins were loaded from, each with the signature that the last load has seen.
 *
 * A round is one attempt to load. Within a round all workers have to see the same files. If they do not, a file has
 * changed between them, and one of them runs old code.
 */
export class ReadFiles {
  /** Files that count whether they are read or not. */
  readonly #always: ReadonlySet<string>;
  readonly #files = new Map<string, { signature: SeenFile['signature']; round: number | null }>();
  #round = 0;
  #torn = false;

  constructor(always: readonly string[] = []) {
    this.#always = new Set(always);
    for (const path of always) this.#files.set(path, { signature: signatureOf(path), round: null });
  }

  get paths(): readonly string[] {
    return [...this.#files.keys()];
  }

  /** A new attempt begins. It is going to see the files as they are now. */
  begin(): void {
    this.#round++;
    this.#torn = false;
    for (const path of this.#files.keys())
      this.#files.set(path, { signature: signatureOf(path), round: null });
  }

  /** A process has read these files. @returns whether one of them is new */
  add(files: readonly SeenFile[]): boolean {
    const before = this.#files.size;
    for (const { path, signature } of files) {
      const known = this.#files.get(path);
      if (known?.round === this.#round && known.signature !== signature) this.#torn = true;
      this.#files.set(path, { signature, round: this.#round });
    }
    return this.#files.size > before;
  }

  /**
   * The attempt was a success. Files that it has not read do not count any more.
   * @returns whether there was such a file
   */
  prune(): boolean {
    const before = this.#files.size;
    for (const [path, { round }] of this.#files)
      if (round !== this.#round && !this.#always.has(path)) this.#files.delete(path);
    return this.#files.size < before;
  }

  /** The files that differ from what was read. */
  changed(): string[] {
    const changed = [...this.#files].filter(([path, { signature }]) => signatureOf(path) !== signature);
    if (changed.length === 0 && this.#torn) return this.paths.slice(0, 1);
    return changed.map(([path]) => path);
  }
}
