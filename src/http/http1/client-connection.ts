import type { Socket } from 'node:net';
import { ReadTimeout } from './change.ts';
import { ClientRequest } from './client-request.ts';
import { ClientResponse } from './client-response.ts';
import { HeadReader } from './head-reader.ts';
import type { RefusalStatus, RequestHead } from './request-head.ts';
import { RequestRefused } from './request-head.ts';
import { SocketBytes } from './socket-bytes.ts';

/** Time limits of a connection, in milliseconds, as nginx has them. */
export interface ClientTimeouts {
  /** client_header_timeout: from the first byte of a request to the end of its headers. */
  readonly headMs: number;
  /** client_body_timeout: between two pieces of a body. */
  readonly bodyMs: number;
  /** keepalive_timeout: between two requests. */
  readonly idleMs: number;
  /** lingering_timeout: how long a client may take to see the end of a connection. */
  readonly lingerMs: number;
}

export const nginxTimeouts: ClientTimeouts = {
  headMs: 60_000,
  bodyMs: 60_000,
  idleMs: 75_000,
  lingerMs: 5000,
};

/** keepalive_requests as Kong sets it. */
const maxRequests = 10_000;

/** The handler of requests. Neither function rejects. */
export interface RequestHandler {
  /** Answers a request; true where the connection may stay. */
  serve(request: ClientRequest, response: ClientResponse): Promise<boolean>;
  /** Answers a request that cannot be served, or ends it without an answer (408). */
  refuse(status: RefusalStatus, request: ClientRequest, response: ClientResponse): Promise<void>;
}

/** One connection of a client of HTTP/1: its requests one after the other. */
export class ClientConnection {
  readonly #socket: Socket;
  readonly #handler: RequestHandler;
  readonly #timeouts: ClientTimeouts;
  readonly #bytes: SocketBytes;
  #busy = false;
  #closing = false;

  constructor(socket: Socket, handler: RequestHandler, timeouts: ClientTimeouts = nginxTimeouts) {
    this.#socket = socket;
    this.#handler = handler;
    this.#timeouts = timeouts;
    this.#bytes = new SocketBytes(socket);
  }

  /** Serves requests until either side ends the connection. Never rejects. */
  async run(): Promise<void> {
    for (let count = 1; count <= maxRequests && !this.#closing; count++) {
      const head = await this.#readHead(count === 1);
      if (head === null || this.#socket.destroyed || !(await this.#serve(head))) break;
    }
    this.#end();
  }

  /** Ends the connection as soon as it is idle. */
  close(): void {
    this.#closing = true;
    if (!this.#busy) this.#socket.destroy();
  }

  async #serve(head: RequestHead): Promise<boolean> {
    this.#busy = true;
    const request = new ClientRequest(this.#socket, head, this.#bytes, this.#timeouts.bodyMs);
    const response = new ClientResponse(this.#socket);
    if (expectsContinue(request)) response.writeContinue();
    const stays = await this.#handler.serve(request, response);
    response.release();
    const whole = stays && (await request.drain());
    this.#busy = false;
    return whole && !this.#socket.writableEnded;
  }

  /** The next head. Null if there is none, or if it was refused. */
  async #readHead(first: boolean): Promise<RequestHead | null> {
    const reader = new HeadReader();
    let until: number | null = null;
    try {
      for (;;) {
        const limitMs =
          until === null ? (first ? this.#timeouts.headMs : this.#timeouts.idleMs) : until - Date.now();
        const bytes = await this.#bytes.read(Math.max(0, limitMs));
        if (bytes === null) return null;
        until ??= Date.now() + this.#timeouts.headMs;
        const read = reader.push(bytes);
        if (read === null) continue;
        this.#bytes.unread(read.rest);
        return read.head;
      }
    } catch (error) {
      if (error instanceof RequestRefused) await this.#refuse(error);
      else if (error instanceof ReadTimeout && reader.isStarted)
        await this.#refuse(new RequestRefused(408, reader.partial));
      return null;
    }
  }

  async #refuse(refusal: RequestRefused): Promise<void> {
    if (this.#socket.destroyed) return;
    this.#busy = true;
    const request = new ClientRequest(this.#socket, { ...refusal.head, body: null }, this.#bytes, 0);
    const response = new ClientResponse(this.#socket);
    await this.#handler.refuse(refusal.status, request, response);
    response.release();
    this.#busy = false;
  }

  /** Ends the connection so that the client can read the answer before it is reset. */
  #end(): void {
    if (this.#socket.destroyed) return;
    this.#socket.end();
    this.#bytes.discard();
    const timer = setTimeout(() => this.#socket.destroy(), this.#timeouts.lingerMs);
    timer.unref();
    this.#socket.once('close', () => clearTimeout(timer));
    if (this.#socket.readableEnded) this.#socket.destroySoon();
  }
}

function expectsContinue({ head, headers }: ClientRequest): boolean {
  return head.minor > 0 && headers.expect?.toLowerCase() === '100-continue';
}
