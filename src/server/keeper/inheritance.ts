import { createServer } from 'node:net';
import type { Server } from 'node:net';
import type { AdoptedSocket, SocketFile, Connection } from '../../unix/index.ts';
import { adoptSocket } from '../../unix/index.ts';

/** A socket that the supervisor listens on, for a worker that keeps it open. Plain data, for structured clone. */
export interface InheritedSocket {
  /** Its place among the options. */
  readonly index: number;
  readonly path: string;
  /** By which its file is told from one of another server. */
  readonly file: SocketFile;
  readonly backlog: number;
}

interface Held extends InheritedSocket {
  /** Node's listening handle, untouched until somebody accepts here. */
  readonly handle: Closable;
  readonly placed: AdoptedSocket;
  server: Server | null;
}

interface Closable {
  close(): void;
}

/**
 * Copies of the listening sockets that a supervisor has given to one of its workers. As long as they are open, who connects waits
 * instead of being refused, also when the supervisor has been killed; `accept` serves them.
 */
export class Inheritance {
  readonly #held = new Map<number, Held>();

  /** @param handle Node's listening handle as it came over IPC */
  take(socket: InheritedSocket, handle: unknown): void {
    if (!isClosable(handle)) return;
    const before = this.#held.get(socket.index);
    if (before !== undefined) close(before);
    this.#held.set(socket.index, {
      ...socket,
      handle,
      placed: adoptSocket(socket.path, socket.file),
      server: null,
    });
  }

  get empty(): boolean {
    return this.#held.size === 0;
  }

  /** Accepts connections from now on. */
  accept(onConnection: (connection: Connection) => void): void {
    for (const held of this.#held.values()) {
      if (held.server !== null) continue;
      held.server = createServer({ allowHalfOpen: true }, onConnection);
      held.server.on('error', () => undefined);
      held.server.listen({ ...handleOption(held.handle), backlog: held.backlog });
    }
  }

  /** `kept` as long as one of the paths is this server's, then how the last one went. */
  async state(): Promise<'kept' | 'taken' | 'missing'> {
    const states = await Promise.all([...this.#held.values()].map(({ placed }) => placed.check()));
    if (states.includes('ours')) return 'kept';
    return states.includes('taken') ? 'taken' : 'missing';
  }

  /** Removes the files that are still this server's, and listens no more. */
  end(): void {
    for (const held of this.#held.values()) held.placed.remove();
    this.close();
  }

  /** Gives the copies up. Other processes that have some go on. */
  close(): void {
    for (const held of this.#held.values()) close(held);
    this.#held.clear();
  }
}

function close({ server, handle }: Held): void {
  if (server === null) handle.close();
  else server.close();
}

function isClosable(handle: unknown): handle is Closable {
  return typeof handle === 'object' && handle !== null && 'close' in handle;
}

/** `net.Server.listen` takes a handle as it is (documented), as an object that has it. */
function handleOption(handle: Closable): object {
  return { _handle: handle };
}
