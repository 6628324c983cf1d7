import net from 'node:net';
import { messageOf } from '../../errors.ts';
import { RpcFailure } from './failure.ts';

/** A push decoder of either protocol. */
export interface Decoder<Message> {
  push(chunk: Buffer): Message[];
}

const texts: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPIPE: 'broken pipe',
};

/** Messages that wait here before the socket is paused. */
const maxWaiting = 256;

/** One connection to a plugin server: whole messages in, bytes out, one reader at a time. */
export class PluginConnection<Message> {
  private readonly socket: net.Socket;
  private readonly decoder: Decoder<Message>;
  private readonly waiting: Message[] = [];
  private reader: { resolve(message: Message): void; reject(error: Error): void } | null = null;
  private failure: RpcFailure | null = null;
  private timer: NodeJS.Timeout | null = null;
  onClose: (() => void) | null = null;

  private constructor(socket: net.Socket, decoder: Decoder<Message>) {
    this.socket = socket;
    this.decoder = decoder;
    socket.on('data', (chunk) => this.receive(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.fail(new RpcFailure(texts[error.code ?? ''] ?? messageOf(error))),
    );
    socket.on('end', () => this.fail(new RpcFailure('closed')));
    socket.on('close', () => this.fail(new RpcFailure('closed')));
  }

  /** Connects to a unix socket. Rejects with an RpcFailure in nginx's words. */
  static open<Message>(
    path: string,
    decoder: Decoder<Message>,
    timeoutMs: number,
  ): Promise<PluginConnection<Message>> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ path });
      const timer = setTimeout(() => socket.destroy(new RpcFailure('timeout')), timeoutMs);
      const refuse = (error: NodeJS.ErrnoException): void => {
        clearTimeout(timer);
        reject(new RpcFailure(texts[error.code ?? ''] ?? messageOf(error)));
      };
      socket.once('error', refuse);
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.off('error', refuse);
        resolve(new PluginConnection(socket, decoder));
      });
    });
  }

  get usable(): boolean {
    return this.failure === null && this.waiting.length === 0;
  }

  /** Lets the process end while this connection is idle. */
  setBusy(busy: boolean): void {
    if (busy) this.socket.ref();
    else this.socket.unref();
  }

  write(bytes: Buffer): void {
    if (this.failure === null) this.socket.write(bytes);
  }

  /** The next message. Rejects with an RpcFailure: `closed`, `timeout`, `connection reset by peer`, ... */
  next(timeoutMs: number): Promise<Message> {
    const message = this.waiting.shift();
    if (message !== undefined) {
      if (this.waiting.length === 0 && this.socket.isPaused()) this.socket.resume();
      return Promise.resolve(message);
    }
    if (this.failure !== null) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      this.reader = { resolve, reject };
      this.timer = setTimeout(() => this.fail(new RpcFailure('timeout')), timeoutMs);
    });
  }

  destroy(): void {
    this.fail(new RpcFailure('closed'));
  }

  private receive(chunk: Buffer): void {
    try {
      for (const message of this.decoder.push(chunk)) this.deliver(message);
    } catch (error) {
      this.fail(new RpcFailure(messageOf(error), { cause: error }));
    }
    if (this.waiting.length > maxWaiting) this.socket.pause();
  }

  private deliver(message: Message): void {
    const { reader } = this;
    if (reader === null) {
      this.waiting.push(message);
      return;
    }
    this.reader = null;
    if (this.timer !== null) clearTimeout(this.timer);
    reader.resolve(message);
  }

  private fail(error: RpcFailure): void {
    if (this.failure !== null) return;
    this.failure = error;
    if (this.timer !== null) clearTimeout(this.timer);
    this.socket.destroy();
    this.reader?.reject(error);
    this.reader = null;
    this.onClose?.();
  }
}
