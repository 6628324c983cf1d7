import { AsyncLocalStorage } from 'node:async_hooks';
import { Buffer } from 'node:buffer';
import { subscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import type { TrafficCounter } from './traffic.ts';

/** Bytes that went over a connection to the plugin server. */
export interface WireChunk {
  /** Connections are counted from 0, in the order in which they were opened. */
  readonly connection: number;
  /** `kong` for what Kong wrote, `server` for what came back. */
  readonly from: 'kong' | 'server';
  readonly bytes: Buffer;
}

const taps = new AsyncLocalStorage<WireTap>();
let subscribed = false;

/** Sees the bytes of every connection that is opened within `watch`. */
export class WireTap {
  readonly chunks: WireChunk[] = [];
  readonly #counter: TrafficCounter | null;
  #connections = 0;

  /** @param counter told who speaks, null where somebody else counts */
  constructor(counter: TrafficCounter | null) {
    this.#counter = counter;
  }

  /** Runs something whose connections are of interest, now or later. */
  watch<Result>(open: () => Result): Result {
    if (!subscribed) {
      subscribed = true;
      subscribe('net.client.socket', (message) => {
        const socket = (message as { socket?: unknown }).socket;
        if (socket instanceof Socket) taps.getStore()?.attach(socket);
      });
    }
    return taps.run(this, open);
  }

  attach(socket: Socket): void {
    const connection = this.#connections++;
    // Connecting gives a socket its own write back.
    socket.once('connect', () => {
      onWrite(socket, (bytes) => {
        this.chunks.push({ connection, from: 'kong', bytes });
        this.#counter?.heard();
      });
    });
    socket.on('data', (bytes: Buffer) => {
      this.chunks.push({ connection, from: 'server', bytes });
      this.#counter?.spoke();
    });
  }
}

/** Calls back with what is written to a socket, before it is. */
export function onWrite(socket: Socket, seen: (bytes: Buffer) => void): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  Object.defineProperty(socket, 'write', {
    configurable: true,
    writable: true,
    value: (...args: unknown[]): boolean => {
      const [first] = args;
      // The writer may use its memory again: keep a copy.
      if (typeof first === 'string' || first instanceof Uint8Array) seen(Buffer.from(first));
      return write(...args);
    },
  });
}
