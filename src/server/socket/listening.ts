import type { ServerLog } from '../log/types.ts';
import { endCleanly } from './parting.ts';
import { asksWhetherServed } from './serves.ts';
import type { CompiledServerOptions } from '../options.ts';
import type { InheritedSocket } from '../keeper/inheritance.ts';
import type { ClaimedSocket, Connection } from '../../unix/index.ts';
import { lookAt, claimSocket } from '../../unix/index.ts';

export interface ListeningOptions {
  readonly server: CompiledServerOptions;
  readonly log: ServerLog;
  /** See ClaimOptions. */
  readonly paused: boolean;
}

/** Serves the connections that come in on the sockets. */
export interface ConnectionTarget {
  /** `index` is the socket's place among the options. */
  onConnection(connection: Connection, index: number): void;
  /** Another server has taken over every socket. */
  onTakenOver(): void;
  /** A socket is listened on. */
  onListening?(): void;
}

/** How often the socket files are looked at. Milliseconds. */
const intervalMs = 500;
/** The same while somebody waits for what is seen: for a live server to go, or for one that follows. */
const soon = 50;

/**
 * The sockets that Kong connects to, and the watch over their files. Connections wait until somebody serves them, so
 * that a server can listen before it has loaded the rest of itself.
 */
export class ListeningSockets {
  readonly #options: ListeningOptions;
  /** Paths that a live server holds, until this one can serve or that one is gone. */
  readonly #waitingFor = new Set<number>();
  #leaving = false;
  /** The live server has been seen on its control socket. */
  #controlled = false;
  #taking: Promise<void> | null = null;
  readonly #claimed = new Map<number, ClaimedSocket>();
  /** Sockets that another server has taken over. There it asks for events of this one, see EventRelay. */
  readonly #lost: ClaimedSocket[] = [];
  #waiting: { connection: Connection; index: number }[] = [];
  #target: ConnectionTarget | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;

  private constructor(options: ListeningOptions) {
    this.#options = options;
  }

  /**
   * Takes every path that no live server holds, and answers Kong there from now on. It leaves the others to their
   * server until `takeAll`, or until that server is gone.
   * @throws KongTsError see claimSocket; then none is kept
   */
  static async open(options: ListeningOptions): Promise<ListeningSockets> {
    const sockets = new ListeningSockets(options);
    try {
      for (const [index, { path }] of options.server.sockets.entries()) {
        if ((await lookAt(path)) === 'live' && (await sockets.#goesOn(path))) sockets.#waitingFor.add(index);
        else await sockets.#claim(index);
      }
    } catch (error) {
      await sockets.close();
      throw error;
    }
    for (const index of sockets.#waitingFor) {
      const { path } = options.server.sockets[index] as { path: string };
      options.log.notice('a live server has the socket: it is taken over once the plugins are loaded', {
        socket: path,
      });
    }
    return sockets;
  }

  /** When it began to listen on the first path if nobody did; null when that was taken over. */
  alone: number | null = null;

  /** Whether a live server has one of the sockets. */
  get waiting(): boolean {
    return this.#waitingFor.size > 0;
  }

  /** Takes what live servers hold. @throws KongTsError see claimSocket */
  async takeAll(): Promise<void> {
    for (const index of [...this.#waitingFor]) {
      // A look may be taking it, or another one, at this moment.
      await this.#taking;
      if (this.#waitingFor.has(index)) await this.#takeFromLive(index);
    }
  }

  /** What another process of this server needs to listen on the same sockets. */
  copies(): { readonly socket: InheritedSocket; readonly handle: unknown }[] {
    return [...this.#claimed].map(([index, { path, file, handle }]) => ({
      socket: { index, path, file, backlog: this.#options.server.backlog },
      handle,
    }));
  }

  /** Another process of this server accepts from now on what comes. The files are watched as before. */
  pass(): void {
    for (const socket of this.#claimed.values()) socket.pass();
    if (this.#timer !== null) this.#lookEvery(soon);
  }

  /** This server ends: the sockets listen on, but files that are removed are not made again. */
  leave(): void {
    this.#leaving = true;
    this.#waitingFor.clear();
    if (this.#timer !== null) this.#lookEvery(soon);
  }

  /** From now on connections go to the target; those that have come before do at once. */
  serve(target: ConnectionTarget): void {
    this.#target = target;
    for (const { connection, index } of this.#waiting.splice(0)) target.onConnection(connection, index);
    this.#lookEvery(this.waiting ? soon : intervalMs);
  }

  /** Stops listening, see ClaimedSocket.release. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const { connection } of this.#waiting.splice(0)) endCleanly(connection);
    this.#waitingFor.clear();
    // One that is being taken at this moment would stay behind.
    await this.#taking?.catch(() => undefined);
    await Promise.all([...this.#claimed.values(), ...this.#lost].map((socket) => socket.release()));
    this.#claimed.clear();
  }

  /**
   * Lets go of sockets that another server has taken, and makes files anew that somebody has removed. One look at a time: while one
   * makes a file again, the next would find no socket left, and end this server as if another one had it.
   */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    await this.#lookForTheEndOfOthers();
    for (const [index, socket] of [...this.#claimed]) {
      const state = await socket.check();
      if (this.#timer === null) return;
      if (state === 'ours') continue;
      this.#claimed.delete(index);
      if (state === 'taken') {
        this.#options.log.notice('another server has taken the socket over', { socket: socket.path });
      } else if (!this.#leaving) {
        this.#options.log.warn('the socket file is gone and is made again', { socket: socket.path });
        await this.#claim(index).catch((error: unknown) => {
          this.#options.log.error('the socket cannot be made again', { reason: String(error) });
        });
      }
      if (state === 'taken') this.#lost.push(socket);
      else await socket.release();
    }
    if (this.#claimed.size > 0 || this.waiting || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#target?.onTakenOver();
  }

  /** The other server has ended before this one could serve. From now on Kong waits here, and is not refused. */
  async #lookForTheEndOfOthers(): Promise<void> {
    for (const index of [...this.#waitingFor]) {
      const path = this.#options.server.sockets[index]?.path ?? '';
      const serves = await this.#isServed(path);
      if (serves || !this.#waitingFor.has(index) || this.#taking !== null) continue;
      await this.#takeFromLive(index).catch((error: unknown) => {
        this.#options.log.error('the socket cannot be taken', { socket: path, reason: String(error) });
      });
    }
  }

  /**
   * Whether the live server goes on. The control socket of one that is about to end is gone at once, though it listens to the last;
   * the same where it was killed and one of its workers has the sockets (see Keeper), which says then whether it serves.
   */
  async #isServed(path: string): Promise<boolean> {
    const { control } = this.#options.server;
    if (control !== null) {
      const found = await lookAt(control).catch(() => 'nothing');
      if (found === 'live') {
        this.#controlled = true;
        return true;
      }
      if (this.#controlled) return asksWhetherServed(path);
    }
    return (await lookAt(path).catch(() => 'live')) === 'live';
  }

  /** Where a server has left its control socket behind, a worker of it listens, which may be blocked. */
  async #goesOn(path: string): Promise<boolean> {
    const { control } = this.#options.server;
    const left = control !== null && (await lookAt(control).catch(() => 'nothing')) === 'stale';
    return left ? asksWhetherServed(path) : true;
  }

  async #takeFromLive(index: number): Promise<void> {
    this.#taking ??= this.#claim(index).finally(() => {
      this.#waitingFor.delete(index);
      this.#taking = null;
    });
    await this.#taking;
    if (!this.waiting && !this.#leaving && this.#timer !== null) this.#lookEvery(intervalMs);
  }

  #lookEvery(milliseconds: number): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      void this.look();
    }, milliseconds);
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
      // Kong opens one for each request in flight.
      maxConnections: null,
      onConnection: (connection) => {
        if (this.#target === null) this.#waiting.push({ connection, index });
        else this.#target.onConnection(connection, index);
      },
    });
    this.#claimed.set(index, socket);
    if (index === 0) this.alone = socket.found === 'live' ? null : Date.now();
    const found = { nothing: {}, stale: { replaced: 'a stale file' }, live: { replaced: 'a live server' } };
    log.notice('listening', { socket: wanted.path, ...found[socket.found] });
    this.#target?.onListening?.();
  }
}
