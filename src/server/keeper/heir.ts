import type { InheritedSocket } from './inheritance.ts';

/** A worker that may keep the sockets. */
export interface HeirWorker {
  readonly state: string;
  /** Its event loop may be blocked. */
  readonly silent: boolean;
  inherit(socket: InheritedSocket, handle: unknown): void;
  disinherit(): void;
  accept(): void;
}

interface Copy {
  readonly socket: InheritedSocket;
  readonly handle: unknown;
}

/**
 * The one worker that has copies of the listening sockets, see Keeper. It is one that serves, and another one as soon as that cannot
 * be relied on.
 */
export class Heir<Worker extends HeirWorker> {
  readonly #workers: () => readonly Worker[];
  readonly #copies: () => readonly Copy[];
  #heir: Worker | null = null;
  #accepting = false;

  /**
   * @param workers those that serve, the preferred ones first
   * @param copies of what is listened on
   */
  constructor(workers: () => readonly Worker[], copies: () => readonly Copy[]) {
    this.#workers = workers;
    this.#copies = copies;
  }

  /** Looks whether there is a worker, and a better one than before. */
  appoint(): void {
    if (this.#accepting || (this.#heir !== null && fit(this.#heir))) return;
    const next = this.#workers().find(fit) ?? null;
    if (next === null || next === this.#heir) return;
    this.#heir?.disinherit();
    this.#heir = next;
    this.#give();
  }

  /** The sockets have changed. */
  renew(): void {
    if (this.#heir === null) this.appoint();
    else this.#give();
  }

  /** The worker is gone. @returns whether connections were accepted by it alone */
  lost(worker: Worker): boolean {
    if (worker !== this.#heir) return false;
    this.#heir = null;
    const alone = this.#accepting;
    this.#accepting = false;
    return alone;
  }

  /** Has the heir accept connections. False where there is none. */
  accept(): boolean {
    if (this.#heir === null || !fit(this.#heir)) return false;
    this.#accepting = true;
    this.#heir.accept();
    return true;
  }

  #give(): void {
    for (const { socket, handle } of this.#copies()) this.#heir?.inherit(socket, handle);
  }
}

function fit({ state, silent }: HeirWorker): boolean {
  return state === 'ready' && !silent;
}
