import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { detectProtocol } from '../../wire/detect.ts';
import type { DeadlineList, Timed } from './deadlines.ts';
import type {
  ConnectionHandle,
  ConnectionHost,
  ForwardedAnswer,
  ForwardedStep,
  RuntimeCounts,
} from './host.ts';
import { readSocket } from './incoming.ts';
import type { Incoming } from './incoming.ts';
import { MsgpackConnection, stepForwarded } from './msgpack-connection.ts';
import { ProtobufConnection } from './protobuf-connection.ts';
import { runtimeOf } from './runtime.ts';
import type { Runtime } from './runtime.ts';

/** How long a draining connection waits for its first command, in milliseconds. */
const DRAIN_GRACE = 1000;

/**
 * Serves one connection of Kong until it is closed. The protocol is told by the first bytes, so that plugins of both
 * can share a socket. Never throws: what goes wrong ends in the host's log.
 */
export function serveConnection(socket: Socket, host: ConnectionHost): ConnectionHandle {
  return new UndecidedConnection(runtimeOf(host), socket);
}

/** Runs a step of an event of this worker that came to another one, see `ConnectionHost.forwardStep`. */
export function receiveForwardedStep(host: ConnectionHost, step: ForwardedStep): Promise<ForwardedAnswer> {
  return stepForwarded(runtimeOf(host), step);
}

/** What the connections of a host hold at this moment. */
export function lookAtRuntime(host: ConnectionHost): RuntimeCounts {
  return runtimeOf(host).look();
}

/** A connection of which too little has come to tell the protocol. */
class UndecidedConnection implements ConnectionHandle, Timed {
  readonly closed: Promise<void>;
  readonly #runtime: Runtime;
  readonly #incoming: Incoming;
  readonly #socket: Socket;
  #first: Buffer = Buffer.alloc(0);
  #decided: ConnectionHandle | null = null;
  #draining = false;
  /** Set by `release`: tells it whether the connection was let go of. */
  #leave: ((released: Promise<boolean> | boolean) => void) | null = null;

  deadlineAt = 0;
  deadlineList: DeadlineList | null = null;
  deadlinePrevious: Timed | null = null;
  deadlineNext: Timed | null = null;

  constructor(runtime: Runtime, socket: Socket) {
    this.#runtime = runtime;
    this.#incoming = readSocket(socket, this.#read);
    this.#socket = this.#incoming.socket;
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', () => {
        runtime.deadlines.remove(this);
        resolve();
      });
    });
    this.#socket.on('error', ignore);
    this.#socket.once('end', () => this.#ended());
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  /** A connection on which nothing has come gets a while for one command, which may be on its way. */
  async drain(): Promise<void> {
    this.#draining = true;
    if (this.#decided !== null) return this.#decided.drain();
    this.#runtime.deadlines.remove(this);
    this.#runtime.deadlines.add(this, DRAIN_GRACE);
    await this.closed;
  }

  /** What has come of a first command stays here until it can be told which protocol it is. */
  release(): Promise<boolean> {
    if (this.#decided !== null) return this.#decided.release();
    if (this.#first.length > 0) {
      return new Promise((resolve) => {
        this.#leave = resolve;
        void this.closed.then(() => resolve(false));
      });
    }
    this.#socket.destroy();
    return Promise.resolve(true);
  }

  /** Nothing has come while draining: the connection ends. */
  expired(): void {
    this.#socket.end();
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #ended(): void {
    if (this.#first.length > 0) {
      this.#runtime.host.log.error('A connection was closed: it ended in the middle of its first message.', {
        code: 'FRAME_TRUNCATED',
      });
    }
    if (this.#decided === null) this.#socket.end();
  }

  readonly #read = (bytes: Buffer): void => {
    const first = this.#first.length === 0 ? bytes : Buffer.concat([this.#first, bytes]);
    const protocol = detectProtocol(first);
    if (protocol === 'need-more') {
      this.#first = Buffer.from(first);
      return;
    }
    const connection =
      protocol === 'protobuf'
        ? new ProtobufConnection(this.#runtime, this.#socket)
        : new MsgpackConnection(this.#runtime, this.#socket);
    this.#decided = connection;
    this.#incoming.reader = (more) => connection.read(more);
    this.#first = Buffer.alloc(0);
    this.#runtime.deadlines.remove(this);
    connection.read(first);
    if (this.#draining) void connection.drain();
    else this.#leave?.(connection.release());
  };
}

const ignore = () => undefined;
