import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { Protocol } from '../../wire/index.ts';
import { tellProtocol } from '../../wire/index.ts';
import type { DeadlineList, Timed } from './deadlines.ts';
import { farewell, mostBeforeFarewell } from './farewell.ts';
import type { ConnectionHandle } from './host.ts';
import { MsgpackSession } from './msgpack-session.ts';
import { ProtobufSession } from './protobuf-session.ts';
import type { Runtime } from './runtime.ts';
import type { SessionConnection } from './session.ts';
import type { Unfinished } from './unfinished-frames.ts';

/** How many bytes may wait for a client that does not read. Beyond that, its commands are not looked at. */
const maxUnreadBytes = 1024 * 1024;
/** How long a connection that has got its FIN may stay half open, in milliseconds. */
const lingerMs = 10_000;
/** How long a draining connection waits for its first command at least, in milliseconds. */
const drainGraceMs = 1000;
/** How often a draining connection asks whether it may end, in milliseconds. */
const againMs = 20;

/**
 * One connection of Kong. It carries commands of both protocols, of any plugin, one after the other: Kong keeps its
 * connections by the path of the socket alone. The connection reads a command only when no answer of Kong is due and
 * nothing is being worked on. Until then the command's bytes wait and the socket is paused. So a client can neither
 * flood the server nor get answers out of order. Kong's answers to calls of a ProtoBuf:1 event go to that event.
 *
 * The connection closes without an answer in two cases only: after bytes that are not a command, whose end nobody can
 * find, and after a frame in the middle of an event that had asked nothing.
 */
export class KongConnection implements ConnectionHandle, SessionConnection, Timed, Unfinished {
  readonly runtime: Runtime;
  readonly closed: Promise<void>;
  readonly ticket: number;
  readonly #socket: Socket;
  readonly #protobuf: ProtobufSession;
  readonly #msgpack: MsgpackSession;
  /** Bytes that were read and not looked at, or too few to tell the protocol by. */
  #kept: Buffer | null = null;
  /** More has to come before `#kept` says anything. */
  #tooFew = false;
  /** No command has come yet. */
  #fresh = true;
  #closing = false;
  #draining = false;
  #paused = false;
  #working = false;
  /** How long nothing has to come before a draining connection ends, in milliseconds. */
  #restMs = 0;
  #resting: NodeJS.Timeout | null = null;
  /** Another server is at the other end, with a step of an event that it does not know. */
  #relayed = false;
  /** Another process goes on with this connection, see `release`. */
  #leaving = false;
  #released = false;

  deadlineAt = 0;
  deadlineList: DeadlineList | null = null;
  deadlinePrevious: Timed | null = null;
  deadlineNext: Timed | null = null;

  constructor(runtime: Runtime, socket: Socket, ticket = 0) {
    this.runtime = runtime;
    this.ticket = ticket;
    this.#socket = socket;
    this.#protobuf = new ProtobufSession(this);
    this.#msgpack = new MsgpackSession(this);
    runtime.counts.connections++;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#closing = true;
        if (this.#resting !== null) clearTimeout(this.#resting);
        runtime.counts.connections--;
        runtime.deadlines.remove(this);
        runtime.unfinishedFrames.look(this);
        this.#lost();
        resolve();
      });
    });
    socket.once('end', () => this.#ended());
    socket.on('drain', () => this.idle());
    // What a broken connection means is told by 'close', which follows.
    socket.on('error', () => undefined);
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get closing(): boolean {
    return this.#closing;
  }

  get draining(): boolean {
    return this.#draining;
  }

  get relayed(): boolean {
    return this.#relayed;
  }

  relays(): void {
    this.#relayed = true;
  }

  /** Takes bytes from the socket, which are valid until it returns. Never throws. */
  read(bytes: Buffer): void {
    if (!this.#closing) this.#look(this.#kept === null ? bytes : Buffer.concat([this.#kept, bytes]));
  }

  async drain(rest: number): Promise<void> {
    this.#draining = true;
    this.#restMs = rest;
    if (this.#resting !== null) clearTimeout(this.#resting);
    this.#resting = null;
    this.#finishWhenIdle();
    await this.closed;
  }

  async release(): Promise<boolean> {
    this.#leaving = true;
    this.#finishWhenIdle();
    await this.closed;
    return this.#released;
  }

  get released(): boolean {
    return this.#released;
  }

  giveUp(): void {
    if (this.#closing) return;
    this.#msgpack.giveUp();
    this.finish();
  }

  destroy(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  /** The client has not closed its end for too long after the FIN. */
  expired(): void {
    this.#socket.destroy();
  }

  finish(last?: Buffer): void {
    if (this.#socket.writableEnded) return;
    this.#closing = true;
    this.#kept = null;
    if (last === undefined) this.#socket.end();
    else this.#socket.end(last);
    this.#pause(false);
    this.runtime.deadlines.remove(this);
    this.runtime.deadlines.add(this, lingerMs);
  }

  /**
   * A draining connection's answer makes Kong let go of it, see `farewell`. If the connection only ended, the end would
   * cross Kong's next command, and Kong gives that command up (a start, anything over MsgPack:1).
   */
  answer(bytes: Buffer, protocol: Protocol, ends = false): boolean {
    const parts = this.#draining && !this.#relayed && bytes.length <= mostBeforeFarewell;
    if (!parts && !ends) return this.write(bytes);
    this.finish(Buffer.concat([bytes, farewell[protocol]]));
    return true;
  }

  write(bytes: Buffer): boolean {
    this.#socket.write(bytes);
    return this.#socket.writableLength === 0;
  }

  /**
   * Closes the connection after bytes that are not messages, with one line in the log. On an orphan, such bytes answer
   * an event that is gone, and Kong tries that event again.
   */
  fail(error: unknown): void {
    if (this.#closing) return;
    if (this.runtime.host.orphans === true) {
      this.finish();
      return;
    }
    this.runtime.host.log.error(`A connection was closed: ${messageOf(error)}`, {
      code: error instanceof KongTsError ? error.code : null,
    });
    this.destroy();
  }

  idle(): void {
    if (this.#working || this.#closing) return;
    if (this.#kept !== null && !this.#tooFew) this.#look(this.#kept);
    else this.#finishWhenIdle();
  }

  #look(bytes: Buffer): void {
    this.#working = true;
    this.#kept = null;
    this.#tooFew = false;
    let at = 0;
    try {
      while (at < bytes.length && !this.#closing && !this.#tooFew && this.#mayTake()) {
        at = this.#take(bytes, at);
      }
    } catch (error) {
      this.fail(error);
    }
    this.#working = false;
    if (this.#closing) return;
    if (at < bytes.length) this.#kept = Buffer.from(bytes.subarray(at));
    this.#pause(this.#kept !== null && !this.#tooFew);
    this.runtime.unfinishedFrames.look(this);
    this.#finishWhenIdle();
  }

  /** See Unfinished. */
  get heldBytes(): number {
    if (this.#closing) return 0;
    return (this.#kept?.length ?? 0) + this.#protobuf.held + this.#msgpack.held;
  }

  /** @throws KongTsError FRAME_MALFORMED */
  #mayTake(): boolean {
    if (this.#protobuf.answersDue || this.#partial) return true;
    if (this.#protobuf.running) {
      throw new KongTsError(
        'FRAME_MALFORMED',
        'A frame came in the middle of an event that had asked nothing.',
      );
    }
    return !this.#busy && this.#socket.writableLength <= maxUnreadBytes;
  }

  /** Reads one message, or keeps the bytes if they do not complete one. @throws KongTsError */
  #take(bytes: Buffer, at: number): number {
    if (this.#protobuf.answersDue || this.#protobuf.partial) return this.#protobuf.take(bytes, at);
    if (this.#msgpack.partial) return this.#msgpack.take(bytes, at);
    const protocol = tellProtocol(at === 0 ? bytes : bytes.subarray(at), this.runtime.host.maxFrameBytes);
    if (protocol === 'need-more') {
      this.#tooFew = true;
      return at;
    }
    this.#fresh = false;
    return protocol === 'protobuf' ? this.#protobuf.take(bytes, at) : this.#msgpack.take(bytes, at);
  }

  /** In the middle of a message whose protocol is known. */
  get #partial(): boolean {
    return this.#protobuf.partial || this.#msgpack.partial;
  }

  /** The rest of a command is still to come. An orphan does not count: there, it may be the rest of an answer. */
  get #awaitsRest(): boolean {
    return (this.#kept !== null || this.#partial) && this.runtime.host.orphans !== true;
  }

  get #busy(): boolean {
    return this.#protobuf.busy || this.#msgpack.busy;
  }

  #lost(): void {
    this.#protobuf.lost('the connection was closed');
    this.#msgpack.lost();
  }

  #ended(): void {
    if (this.#closing) return;
    try {
      this.#protobuf.endOfStream();
      this.#msgpack.endOfStream();
      if (this.#tooFew) {
        const text = 'The connection ended in the middle of the first bytes of a command.';
        throw new KongTsError('FRAME_TRUNCATED', text);
      }
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#closing = true;
    this.#lost();
    this.#socket.end();
  }

  /**
   * While draining or leaving: a command that has come, or has begun to, is still answered.
   */
  #finishWhenIdle(): void {
    if ((!this.#draining && !this.#leaving) || this.#closing || this.#busy) return;
    if (this.#awaitsRest) return;
    const waits = this.#fresh && this.runtime.host.orphans !== true;
    if (this.#draining) this.#finishAfterRest(waits ? Math.max(drainGraceMs, this.#restMs) : this.#restMs);
    else if (!this.#protobuf.answersDue && this.#socket.readableLength === 0) this.#letGo();
  }

  /**
   * Ends the connection once Kong has not used it for a while, because a command that crosses the end is lost. While
   * events of MsgPack:1 run, the next step of each may come on any connection, so this one stays.
   */
  #finishAfterRest(restMs: number): void {
    if (this.#resting !== null) clearTimeout(this.#resting);
    const { bytesRead } = this.#socket;
    this.#resting = setTimeout(() => {
      this.#resting = null;
      if (this.#closing || this.#busy || this.#awaitsRest) return;
      if (this.#socket.bytesRead !== bytesRead) this.#finishWhenIdle();
      else if (this.runtime.steppedEvents.size > 0 || !this.runtime.takeTurnToEnd())
        this.#finishAfterRest(againMs);
      else this.finish();
    }, restMs);
  }

  /** Closes this process's copy once everything that was written has left. */
  #letGo(): void {
    if (this.#socket.writableLength > 0) {
      this.#socket.write('', () => this.#finishWhenIdle());
      return;
    }
    this.#released = true;
    this.destroy();
  }

  #pause(pause: boolean): void {
    if (this.#paused === pause) return;
    this.#paused = pause;
    if (pause) this.#socket.pause();
    else this.#socket.resume();
  }
}
