import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { KongTsError, messageOf } from '../../errors.ts';
import type { ConnectionHandle } from './host.ts';
import type { DeadlineList, Timed } from './deadlines.ts';
import type { Runtime } from './runtime.ts';

/** Bytes that may wait for a client that does not read before no more of its commands are looked at. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** How long a connection that has got its FIN may stay half open, in milliseconds. */
const LINGER = 10_000;

/**
 * What both protocols share: a socket whose messages are handled one after the other. While one is being worked on,
 * later ones wait and the socket is paused, so that a client can neither flood the server nor be answered out of
 * order.
 */
export abstract class Connection<Message> implements ConnectionHandle, Timed {
  readonly runtime: Runtime;
  readonly closed: Promise<void>;
  protected readonly socket: Socket;
  /** True once nothing is read from the socket any more. */
  protected closing = false;
  protected draining = false;
  readonly #inbox: Message[] = [];
  #paused = false;
  #working = false;
  /** Somebody else goes on with this connection, see `release`. */
  #leaving = false;
  #released = false;

  deadlineAt = 0;
  deadlineList: DeadlineList | null = null;
  deadlinePrevious: Timed | null = null;
  deadlineNext: Timed | null = null;

  constructor(runtime: Runtime, socket: Socket) {
    this.runtime = runtime;
    this.socket = socket;
    runtime.counts.connections++;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.closing = true;
        runtime.counts.connections--;
        runtime.deadlines.remove(this);
        this.lost('the connection was closed');
        resolve();
      });
    });
    socket.once('end', () => this.#ended());
    socket.on('drain', () => this.#next());
    // What a broken connection means is told by 'close', which follows.
    socket.on('error', () => undefined);
  }

  /** Cuts bytes into messages, which may be views on them. @throws KongTsError */
  protected abstract decode(bytes: Buffer): Message[];
  /** A message that has to wait, without a view on the bytes it came in. */
  protected abstract keep(message: Message): Message;
  /** True in the middle of a message. */
  protected abstract partial(): boolean;
  /** @throws KongTsError FRAME_TRUNCATED when the stream ended inside a message */
  protected abstract endOfStream(): void;
  /** True for a message that belongs to what is being worked on: it is not held back. */
  protected abstract belongsToWork(): boolean;
  /** True while a command is being worked on. */
  protected abstract busy(): boolean;
  /** True while an event may still need this connection although nothing runs on it; `drain` is called again later. */
  protected needed(): boolean {
    return false;
  }
  /** Handles a message. @throws KongTsError FRAME_MALFORMED */
  protected abstract handle(message: Message): void;
  /** Kong is gone. */
  protected abstract lost(why: string): void;

  get bytesRead(): number {
    return this.socket.bytesRead;
  }

  /** Takes bytes from the socket, which are valid until it returns. Never throws. */
  read(bytes: Buffer): void {
    if (this.closing) return;
    let messages: Message[];
    try {
      messages = this.decode(bytes);
    } catch (error) {
      this.fail(error);
      return;
    }
    const inbox = this.#inbox;
    for (const message of messages) inbox.push(message);
    this.#next();
    // Of those that have to wait, the last to come are the ones that were not kept yet.
    for (let at = Math.max(0, inbox.length - messages.length); at < inbox.length; at++) {
      inbox[at] = this.keep(inbox[at] as Message);
    }
  }

  async drain(): Promise<void> {
    this.draining = true;
    this.#finishWhenIdle();
    await this.closed;
  }

  async release(): Promise<boolean> {
    this.#leaving = true;
    this.#finishWhenIdle();
    await this.closed;
    return this.#released;
  }

  destroy(): void {
    this.closing = true;
    this.socket.destroy();
  }

  /** Ends the connection cleanly: what was written and a FIN leave; what still comes is read and dropped. */
  protected finish(last?: Buffer): void {
    if (this.socket.writableEnded) return;
    this.closing = true;
    this.#inbox.length = 0;
    if (last === undefined) this.socket.end();
    else this.socket.end(last);
    this.#pause(false);
    this.runtime.deadlines.add(this, LINGER);
  }

  /** The client has not closed its end for too long after the FIN. */
  expired(): void {
    this.socket.destroy();
  }

  /** Closes the connection for bytes that are no messages, with one line in the log. */
  protected fail(error: unknown): void {
    if (this.closing) return;
    this.runtime.host.log.error(`A connection was closed: ${messageOf(error)}`, {
      code: error instanceof KongTsError ? error.code : null,
    });
    this.destroy();
  }

  /** Call when a command has been answered: goes on with what was held back. */
  protected idle(): void {
    if (this.#working) return;
    if (this.#inbox.length > 0) this.#next();
    else this.#finishWhenIdle();
  }

  #ended(): void {
    if (this.closing) return;
    try {
      this.endOfStream();
    } catch (error) {
      this.fail(error);
      return;
    }
    this.closing = true;
    this.lost('the connection was closed');
    this.socket.end();
  }

  #next(): void {
    if (this.#working) return;
    this.#working = true;
    let handled = 0;
    while (handled < this.#inbox.length && !this.closing && this.#ready()) {
      const message = this.#inbox[handled++] as Message;
      try {
        this.handle(message);
      } catch (error) {
        this.fail(error);
      }
    }
    this.#inbox.splice(0, handled);
    this.#working = false;
    if (this.closing) this.#inbox.length = 0;
    else this.#pause(this.#inbox.length > 0);
    this.#finishWhenIdle();
  }

  /** While draining or leaving: a command that has come, or has begun to, is still answered. */
  #finishWhenIdle(): void {
    if ((!this.draining && !this.#leaving) || this.closing || this.busy()) return;
    if (this.#inbox.length > 0 || this.partial()) return;
    if (this.draining) {
      if (!this.needed()) this.finish();
    } else if (!this.belongsToWork() && this.socket.readableLength === 0) this.#letGo();
  }

  /** Closes this process's copy once everything that was written has left. */
  #letGo(): void {
    if (this.socket.writableLength > 0) {
      this.socket.write('', () => this.#finishWhenIdle());
      return;
    }
    this.#released = true;
    this.destroy();
  }

  #ready(): boolean {
    if (this.belongsToWork()) return true;
    return !this.busy() && this.socket.writableLength <= MAX_UNREAD_BYTES;
  }

  #pause(pause: boolean): void {
    if (this.#paused === pause) return;
    this.#paused = pause;
    if (pause) this.socket.pause();
    else this.socket.resume();
  }
}
