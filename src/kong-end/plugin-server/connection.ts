import net from 'node:net';
import { messageOf } from '../../base/errors.ts';
import { RpcFailure, SendFailure } from './failure.ts';

/** A push decoder of either protocol. */
export interface Decoder<Message> {
  push(chunk: Buffer): Message[];
  /** True in the middle of a message. */
  readonly partial: boolean;
}

/** The present reader of a connection. */
export interface ConnectionReader {
  received(chunk: Buffer): void;
  failed(error: RpcFailure): void;
}

const texts: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPIPE: 'broken pipe',
};

function failureOf(error: NodeJS.ErrnoException): RpcFailure {
  if (error instanceof RpcFailure) return error;
  const text = texts[error.code ?? ''] ?? messageOf(error);
  return error.syscall === 'write'
    ? new SendFailure(text, { cause: error })
    : new RpcFailure(text, { cause: error });
}

/**
 * One connection to a plugin server, without a protocol of its own. The caller that takes it from the pool reads it.
 * Bytes that come while nobody reads make it useless, as in nginx.
 */
export class PluginConnection {
  readonly #socket: net.Socket;
  #reader: ConnectionReader | null = null;
  #failure: RpcFailure | null = null;
  onClose: (() => void) | null = null;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      if (this.#reader === null) this.destroy('unread data in buffer');
      else this.#reader.received(chunk);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(failureOf(error)));
    socket.on('end', () => this.#fail(new RpcFailure('closed')));
    socket.on('close', () => this.#fail(new RpcFailure('closed')));
  }

  /** Connects to a unix socket. Rejects with an RpcFailure in nginx's words. */
  static open(path: string, timeoutMs: number): Promise<PluginConnection> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ path });
      const timer = setTimeout(() => socket.destroy(new RpcFailure('timeout')), timeoutMs);
      const refuse = (error: NodeJS.ErrnoException): void => {
        clearTimeout(timer);
        reject(failureOf(error));
      };
      socket.once('error', refuse);
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.off('error', refuse);
        resolve(new PluginConnection(socket));
      });
    });
  }

  get failed(): RpcFailure | null {
    return this.#failure;
  }

  /** Gives the connection to a reader, or to nobody. Without a reader, it lets the process end. */
  readBy(reader: ConnectionReader | null): void {
    this.#reader = reader;
    if (reader === null) this.#socket.unref();
    else this.#socket.ref();
  }

  write(bytes: Buffer): void {
    if (this.#failure === null) this.#socket.write(bytes);
  }

  pause(pause: boolean): void {
    if (pause === this.#socket.isPaused()) return;
    if (pause) this.#socket.pause();
    else this.#socket.resume();
  }

  destroy(why = 'closed'): void {
    this.#fail(new RpcFailure(why));
  }

  #fail(error: RpcFailure): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#socket.destroy();
    this.#reader?.failed(error);
    this.onClose?.();
  }
}
