import type { Connection } from '../../unix/index.ts';
import { endCleanly } from '../socket/parting.ts';

/** What the router needs of a worker. */
export interface ConnectionTaker {
  readonly slot: number;
  readonly connections: number;
  /** True when the worker may be blocked. Others are preferred. */
  readonly silent: boolean;
  /** @param orphaned the worker that had it has died */
  give(ticket: number, socket: Connection, index: number, failed: () => void, orphaned: boolean): void;
}

/** More than there can be: an event's id has a byte for its worker. */
const mostSlots = 256;

interface Handover<Taker> {
  readonly socket: Connection;
  readonly index: number;
  taker: Taker | null;
  readonly orphaned?: boolean;
}

/**
 * Gives accepted connections to workers.
 * - A connection goes to the worker with the fewest.
 * - All connections of a socket whose plugins speak MsgPack:1 go to one worker, because the calls of one event may come
 *   on any of them. Several such sockets have different workers, as far as there are some.
 * - Connections wait here while there is no worker.
 * - A connection that a dying worker never took is given to another worker.
 */
export class ConnectionDealer<Taker extends ConnectionTaker> {
  readonly #takers = new Set<Taker>();
  readonly #handovers = new Map<number, Handover<Taker>>();
  /** Copies of the sockets that workers have. */
  readonly #held = new Map<number, Handover<Taker>>();
  readonly #pinned: (index: number) => number | null;
  #lastTicket = 0;

  /** @param pinned the slot on whose worker all connections of the socket with this index belong, null where they belong on any */
  constructor(pinned: (index: number) => number | null) {
    this.#pinned = pinned;
  }

  /** Connections that no worker has taken yet. */
  get waiting(): number {
    return this.#handovers.size;
  }

  accept(socket: Connection, index: number): void {
    const ticket = ++this.#lastTicket;
    this.#handovers.set(ticket, { socket, index, taker: null });
    socket.on('error', () => undefined);
    this.#assign(ticket);
  }

  attach(taker: Taker): void {
    this.#takers.add(taker);
    for (const [ticket, handover] of this.#handovers) {
      if (handover.taker === null) this.#assign(ticket);
    }
  }

  /** Gives this worker no more connections. Those on their way to it stay so. */
  detach(taker: Taker): void {
    this.#takers.delete(taker);
  }

  /** The worker has the connection. Our copy of the socket stays open until the worker is done with it, or dies. */
  taken(ticket: number): void {
    const handover = this.#handovers.get(ticket);
    this.#handovers.delete(ticket);
    if (handover !== undefined) this.#held.set(ticket, handover);
  }

  /** The worker has closed the connection. */
  gone(ticket: number): void {
    this.#held.get(ticket)?.socket.destroy();
    this.#held.delete(ticket);
  }

  /** The worker has let go of the connection between two commands. Another worker goes on with it. */
  released(ticket: number, orphaned = false): void {
    const handover = this.#held.get(ticket);
    if (handover === undefined) return;
    this.#held.delete(ticket);
    this.#handovers.set(ticket, { ...handover, taker: null, orphaned });
    this.#assign(ticket);
  }

  /**
   * The worker has ended while Kong waited for an answer on this connection. Kong gets the answer here, and another
   * worker goes on with the connection.
   */
  answer(ticket: number, answer: Buffer): void {
    const handover = this.#held.get(ticket);
    if (handover === undefined || handover.socket.destroyed) return;
    handover.socket.write(answer);
    this.released(ticket);
  }

  /**
   * The worker has ended. Connections that it had not taken go to others. The rest are closed. If all connections of a
   * socket belong on one worker, those without an event go to the next worker. Over MsgPack:1 everything that Kong waits
   * for is known, and Kong goes on without the plugin if its next command crosses the end of a connection.
   * @param inFlight tickets of connections with an event that has ended with the worker, and what Kong reads before
   * their end
   * @param orphan takes the other connections, on which Kong may or may not wait
   * @returns how many connections the worker had
   */
  lost(
    taker: Taker,
    inFlight: ReadonlyMap<number, Buffer | null> = new Map(),
    orphan: (socket: Connection) => void = endCleanly,
  ): number {
    this.detach(taker);
    let closed = 0;
    for (const [ticket, { socket, index, taker: holder }] of this.#held) {
      if (holder !== taker) continue;
      const last = inFlight.get(ticket);
      if (last === undefined && this.#pinned(index) !== null) {
        this.released(ticket, true);
        continue;
      }
      this.#held.delete(ticket);
      closed++;
      if (last === undefined) orphan(socket);
      else endCleanly(socket, last);
    }
    for (const [ticket, handover] of this.#handovers) {
      if (handover.taker !== taker) continue;
      handover.taker = null;
      this.#assign(ticket);
    }
    return closed;
  }

  /** Takes back the connections that wait for a worker while there is none. */
  unserved(): Connection[] {
    if (this.#takers.size > 0) return [];
    const unserved: Connection[] = [];
    for (const [ticket, { taker, socket }] of this.#handovers) {
      if (taker !== null) continue;
      this.#handovers.delete(ticket);
      unserved.push(socket);
    }
    return unserved;
  }

  /** Resolves once every connection has been taken, or after `limitMs`. */
  async settled(limitMs: number): Promise<void> {
    const end = Date.now() + limitMs;
    while (this.#handovers.size > 0 && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Closes the connections that nobody will take any more. */
  close(): void {
    for (const { socket } of this.#handovers.values()) endCleanly(socket);
    this.#handovers.clear();
    for (const { socket } of this.#held.values()) endCleanly(socket);
    this.#held.clear();
  }

  #assign(ticket: number): void {
    const handover = this.#handovers.get(ticket);
    if (handover === undefined) return;
    const taker = this.#choose(handover.index);
    if (taker === null) return;
    handover.taker = taker;
    const failed = () => {
      if (handover.taker !== taker || !this.#handovers.has(ticket)) return;
      handover.taker = null;
      this.#takers.delete(taker);
      this.#assign(ticket);
    };
    taker.give(ticket, handover.socket, handover.index, failed, handover.orphaned === true);
  }

  #choose(index: number): Taker | null {
    const pinned = this.#pinned(index);
    let best: Taker | null = null;
    for (const taker of this.#takers) {
      if (best === null || preferred(taker, best, pinned)) best = taker;
    }
    return best;
  }
}

/** @param pinned the slot that is wanted, or the next one above it; null: the fewest connections */
function preferred(taker: ConnectionTaker, best: ConnectionTaker, pinned: number | null): boolean {
  if (taker.silent !== best.silent) return best.silent;
  if (pinned === null) return taker.connections < best.connections;
  return above(taker.slot, pinned) < above(best.slot, pinned);
}

/** How far a slot is above another one; behind the last one comes the first. */
const above = (slot: number, wanted: number): number => (slot - wanted + mostSlots) % mostSlots;
