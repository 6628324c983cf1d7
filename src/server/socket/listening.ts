import type { ServerLog } from '../log/types.ts';
import type { CompiledServerOptions } from '../options.ts';
import { claimSocket, type ClaimedSocket, type Connection } from '../../unix/claim.ts';

export interface ListeningOptions {
  readonly server: CompiledServerOptions;
  readonly log: ServerLog;
  /** See ClaimOptions. */
  readonly paused: boolean;
}

/** Who serves what comes in on the sockets. */
export interface ConnectionTarget {
  /** `index` is the socket's place among the options. */
  onConnection(connection: Connection, index: number): void;
  /** Another server has taken over every socket. */
  onTakenOver(): void;
}

/** How often the socket files are looked at. Milliseconds. */
const interval = 500;

/**
 * The sockets that Kong connects to, and the watch over their files. Connections wait until somebody serves them, so
 * that a server can listen before it has loaded the rest of itself.
 */
export class ListeningSockets {
  readonly #options: ListeningOptions;
  readonly #claimed = new Map<number, ClaimedSocket>();
  #waiting: { connection: Connection; index: number }[] = [];
  #target: ConnectionTarget | null = null;
  #timer: NodeJS.Timeout | null = null;

  private constructor(options: ListeningOptions) {
    this.#options = options;
  }

  /** Takes every path. @throws KongTsError see claimSocket; then none is kept */
  static async open(options: ListeningOptions): Promise<ListeningSockets> {
    const sockets = new ListeningSockets(options);
    try {
      for (const index of options.server.sockets.keys()) await sockets.#claim(index);
    } catch (error) {
      await sockets.close();
      throw error;
    }
    return sockets;
  }

  /** From now on connections go to the target; those that have come before do at once. */
  serve(target: ConnectionTarget): void {
    this.#target = target;
    for (const { connection, index } of this.#waiting.splice(0)) target.onConnection(connection, index);
    this.#timer = setInterval(() => {
      void this.look();
    }, interval);
  }

  /** Stops listening, see ClaimedSocket.release. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const { connection } of this.#waiting.splice(0)) connection.destroy();
    await Promise.all([...this.#claimed.values()].map((socket) => socket.release()));
    this.#claimed.clear();
  }

  /** Lets go of sockets that another server has taken, and makes files anew that somebody has removed. */
  async look(): Promise<void> {
    for (const [index, socket] of [...this.#claimed]) {
      const state = await socket.check();
      if (this.#timer === null) return;
      if (state === 'ours') continue;
      this.#claimed.delete(index);
      if (state === 'taken') {
        this.#options.log.notice('another server has taken the socket over', { socket: socket.path });
      } else {
        this.#options.log.warn('the socket file is gone and is made again', { socket: socket.path });
        await this.#claim(index).catch((error: unknown) => {
          this.#options.log.error('the socket cannot be made again', { reason: String(error) });
        });
      }
      await socket.release();
    }
    if (this.#claimed.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#target?.onTakenOver();
  }

  async #claim(index: number): Promise<void> {
    const { server, log, paused } = this.#options;
    const wanted = server.sockets[index];
    if (wanted === undefined) return;
    const socket = await claimSocket(wanted.path, {
      mode: server.socketMode,
      owner: server.socketOwner,
      backlog: server.backlog,
      paused,
      onConnection: (connection) => {
        if (this.#target === null) this.#waiting.push({ connection, index });
        else this.#target.onConnection(connection, index);
      },
    });
    this.#claimed.set(index, socket);
    const found = { nothing: {}, stale: { replaced: 'a stale file' }, live: { replaced: 'a live server' } };
    log.notice('listening', { socket: wanted.path, ...found[socket.found] });
  }
}
