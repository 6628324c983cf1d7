import type { ServerLog } from '../log/types.ts';
import { Heir } from './heir.ts';
import type { HeirWorker } from './heir.ts';
import type { InheritedSocket } from './inheritance.ts';
import { keepsForMs } from './keeper.ts';
import { kongRuns, workerLeaves } from './kong-master.ts';
import type { KongMaster } from './kong-master.ts';

/** How often a server that waits for the next one looks at Kong, in milliseconds. */
const intervalMs = 100;

interface Sockets {
  copies(): { readonly socket: InheritedSocket; readonly handle: unknown }[];
  /** Another process of this server accepts from now on. */
  pass(): void;
}

export interface SuccessionOptions<Worker> {
  /** Null where Kong has not started this server. */
  readonly kong: KongMaster | null;
  readonly log: ServerLog;
  readonly sockets: Sockets;
  readonly workers: () => readonly Worker[];
  /** Ends this server; nobody follows, or not in time. */
  readonly stop: () => void;
}

/**
 * What a supervisor that Kong has started does for a server that follows. At `kong reload` Kong starts the next server, sends this
 * one SIGTERM and kills it a moment later, on a busy machine before the next one listens. So one of its workers has copies of the
 * sockets at all times (see Keeper), accepts by itself from SIGTERM on, and this process serves on with the others as long as it lives.
 */
export class Succession<Worker extends HeirWorker> {
  readonly #options: SuccessionOptions<Worker>;
  readonly #heir: Heir<Worker>;
  #timer: NodeJS.Timeout | null = null;
  #until = 0;

  constructor(options: SuccessionOptions<Worker>) {
    this.#options = options;
    this.#heir = new Heir(options.workers, () => options.sockets.copies());
  }

  /** A worker may have become fit to keep the sockets, or unfit. */
  look(): void {
    if (this.#options.kong !== null) this.#heir.appoint();
  }

  /** What is listened on has changed. */
  renew(): void {
    if (this.#options.kong !== null) this.#heir.renew();
  }

  /** A worker has ended. */
  lost(worker: Worker): void {
    // Nobody accepts any more.
    if (this.#heir.lost(worker)) this.#stop('the worker that accepted connections has ended');
  }

  /** The worker accepts connections: what comes is no longer at risk with this process. */
  accepted(): void {
    if (this.#timer === null) return;
    this.#options.sockets.pass();
    this.#options.log.notice('a worker accepts the connections from now on');
  }

  get waits(): boolean {
    return this.#timer !== null;
  }

  /** SIGTERM has come. @returns whether this server goes on, since another one is going to follow */
  begin(): boolean {
    const { kong, log } = this.#options;
    if (this.waits || kong === null || !workerLeaves(kong) || !kongRuns(kong)) return false;
    if (!this.#heir.accept()) return false;
    log.notice('Kong starts another server: this one serves until that one does');
    this.#until = Date.now() + keepsForMs;
    this.#timer = setInterval(() => {
      if (!kongRuns(kong)) this.#stop('Kong has ended');
      else if (Date.now() > this.#until) this.#stop('no other server has come in time');
    }, intervalMs);
    return true;
  }

  /** Another server has the sockets, or this one is to end at once. */
  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #stop(why: string): void {
    this.end();
    this.#options.log.notice('nobody has followed', { why });
    this.#options.stop();
  }
}
