import { within } from '../../base/within.ts';
import type { ConnectionHandle } from '../connection/index.ts';
import { serveConnection } from '../connection/index.ts';
import type { Connection } from '../../unix/index.ts';
import type { LastWill } from './held-host.ts';
import { HeldHost } from './held-host.ts';

/** Longer than this process lives: an idle connection stays. Milliseconds. */
const staysMs = 3_600_000;
/** How long a connection has to be idle at the end, and how long the end may take. Milliseconds. */
const restMs = 20;
const endLimitMs = 1000;

/**
 * Connections that come when the plugins of an ending server serve no more: while they flush, and until the process is
 * gone. Every command on them is answered, see HeldHost. Only an event waits. As long as the socket listens, another
 * server may take it over. When the connections end then, Kong tries the events again there.
 */
export class HeldConnections {
  readonly #host: HeldHost;
  readonly #held = new Set<ConnectionHandle>();
  #over: boolean;

  /**
   * @param orphans connections of a worker that has died: an event is begun anew at once, and those that Kong does not use end soon,
   *   one after the other, since one may be of an event that has just begun
   */
  constructor(will: LastWill, { orphans = false } = {}) {
    this.#host = new HeldHost(will, orphans);
    this.#over = orphans;
  }

  get size(): number {
    return this.#held.size;
  }

  add(connection: Connection): void {
    connection.on('error', () => undefined);
    const handle = serveConnection(connection, this.#host);
    this.#held.add(handle);
    void handle.closed.then(() => this.#held.delete(handle));
    // The first answer makes Kong let go of it.
    void handle.drain(this.#over ? restMs : staysMs);
  }

  /** Ends them, and soon those that are still to come. Resolves when Kong has seen it, or a moment later. */
  async end(): Promise<void> {
    this.#over = true;
    this.#host.end();
    const gone = Promise.all([...this.#held].map((handle) => handle.drain(restMs)));
    await within(endLimitMs, gone);
  }
}
