import type { Connection } from '../../unix/index.ts';
import { kongKeepsIdleMs } from '../ipc/drain-term.ts';
import type { Parting } from '../ipc/messages.ts';
import type { ServerLog } from '../log/types.ts';
import type { InstanceFile } from '../remembered/instance-file.ts';
import { Signs } from '../remembered/signs.ts';
import { HeldConnections } from '../socket/held.ts';
import type { LastWill } from '../socket/held-host.ts';
import { Inheritance } from './inheritance.ts';

/** How long a worker serves on without a supervisor: a server that follows is there long before. Milliseconds. */
export const keepsForMs = 60_000;
/** How long it waits while nobody comes, neither Kong nor a server that looks whether it may take over. Milliseconds. */
const idleForMs = 20_000;
const intervalMs = 50;

/** What a worker serves with. */
interface Serving {
  /** True once no connection is served any more that is still to come. */
  readonly shut: boolean;
  /** Events that have ended. */
  readonly events: number;
  /** See PluginWorker. */
  alone: boolean;
  serve(connection: Connection): Promise<unknown>;
}

export interface KeeperOptions {
  /** Whether the Kong that has started this server runs. */
  readonly kongRuns: () => boolean;
  readonly file: InstanceFile | null;
  readonly log: ServerLog;
  readonly worker: Serving;
  /** What the connections that come at the very end are told. */
  readonly will: LastWill;
  /** Called when the supervisor is gone, before anything else. */
  readonly orphaned: () => void;
  /** Parts with Kong in this way and ends; a second time, quicker. */
  readonly leave: (parting: Exclude<Parting, 'hand over'>) => void;
}

/**
 * What a worker does when its supervisor is gone and Kong is not: `kong reload` kills the process that it has started a moment
 * after SIGTERM, on a busy machine before the next one listens. The worker that has inherited the sockets serves on them until
 * another server has taken them over, Kong has ended, or nobody comes. The others part with the connections that they have, and Kong
 * opens its next ones at that worker.
 *
 *     inherits ──accept──► accepts, beside the supervisor
 *        └────orphaned───────┴──► keeps ──► parts
 */
export class Keeper {
  readonly inheritance: Inheritance;
  readonly #options: KeeperOptions;
  readonly #held: HeldConnections;
  #signs: Signs | null = null;
  #timer: NodeJS.Timeout | null = null;
  #comers = 0;
  #seen = 0;
  #seenAt = 0;
  #until = 0;
  #parting = false;

  constructor(options: KeeperOptions, inheritance = new Inheritance()) {
    this.inheritance = inheritance;
    this.#options = options;
    this.#held = new HeldConnections(options.will);
  }

  /** From now on this worker accepts what comes on the sockets that it has inherited. */
  accept(): void {
    this.inheritance.accept((connection) => {
      this.#comers++;
      const { worker } = this.#options;
      if (worker.shut) this.#held.add(connection);
      else void worker.serve(connection);
    });
  }

  /**
   * The supervisor is gone.
   * @param leaving how this worker parts with Kong already, null where it does not
   */
  orphaned(leaving: Parting | null): void {
    const { file, log, leave, orphaned } = this.#options;
    orphaned();
    this.#seenAt = Date.now();
    this.#timer = setInterval(() => void this.#look(), intervalMs);
    if (leaving !== null || this.inheritance.empty) {
      this.#parting = true;
      this.inheritance.close();
      this.#options.worker.alone = true;
      // Nothing ends before Kong has let go of it: a command that crosses an end is lost.
      if (leaving === null || leaving === 'hand over') leave('let fade');
      return;
    }
    this.#until = this.#seenAt + keepsForMs;
    log.notice('the supervisor is gone and Kong is not: this worker serves until another server does');
    this.#signs = new Signs(file, null);
    this.accept();
  }

  /** Ends the process's part. Files that are left on the paths are removed where nobody else can do it. */
  async end(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#signs?.stop();
    if (this.#until > 0) this.inheritance.end();
    else this.inheritance.close();
    await this.#held.end();
  }

  async #look(): Promise<void> {
    const { kongRuns, log, leave } = this.#options;
    if (!kongRuns()) {
      this.#end('Kong has ended', 'close');
      return;
    }
    if (this.#parting || this.inheritance.empty) return;
    const state = await this.inheritance.state();
    // The next look may have come before the answer.
    if (this.#parting) return;
    if (state === 'taken') {
      log.notice('another server has taken the sockets over');
      this.#parting = true;
      this.#signs?.stop();
      void this.#held.end();
      leave('let fade');
    } else if (state === 'missing') this.#end('the socket file is gone', 'close');
    else if (Date.now() > this.#until) this.#end('no other server has come in time', 'close');
    else if (this.#idle()) this.#end('nobody comes any more', 'close');
  }

  #idle(): boolean {
    const now = this.#comers + this.#options.worker.events;
    if (now !== this.#seen) {
      this.#seen = now;
      this.#seenAt = Date.now();
    }
    return Date.now() > this.#seenAt + idleForMs;
  }

  #end(why: string, parting: 'close'): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#parting = true;
    this.#options.log.notice('a worker without a supervisor ends', { why });
    this.#options.leave(parting);
  }
}

/** How long a worker whose supervisor is gone may live where Kong goes on, in milliseconds. */
export const orphanTermMs = keepsForMs + kongKeepsIdleMs;
