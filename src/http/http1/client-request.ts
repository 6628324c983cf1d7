import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ReadTimeout } from './change.ts';
import { ChunkedBody } from './chunked-body.ts';
import type { RequestHead } from './request-head.ts';
import { SizedBody } from './sized-body.ts';
import type { SocketBytes } from './socket-bytes.ts';

/** How long the rest of a body that nobody wants is read for, in milliseconds (lingering_time). */
const lingeringTimeMs = 30_000;
const lingeringPauseMs = 5000;

/** A request whose head has been read; its body comes as a stream. */
export interface ReceivedRequest extends IncomingMessage {
  readonly head: RequestHead;
  /** Bytes of the body on the wire until now, those of chunk sizes included. */
  readonly bodyBytes: number;
  declareLength(length: number): void;
}

/** The client paused for too long within its body. */
export class BodyStalled extends Error {
  override readonly name = 'BodyStalled';
}

/**
 * A request that was read here, in the form of node:http's: what handles requests need not know who has read them.
 * The body is read from the connection as it is asked for.
 */
export class ClientRequest extends IncomingMessage implements ReceivedRequest {
  readonly head: RequestHead;
  readonly #source: SocketBytes;
  #decoder: ChunkedBody | SizedBody;
  #bodyTimeoutMs: number;
  #reading = false;
  #ended = false;
  bodyBytes = 0;

  /** @param bodyTimeoutMs how long the client may pause within its body, in milliseconds */
  constructor(socket: Socket, head: RequestHead, source: SocketBytes, bodyTimeoutMs: number) {
    super(socket);
    this.head = head;
    this.#source = source;
    this.#bodyTimeoutMs = bodyTimeoutMs;
    this.#decoder = head.body === 'chunked' ? new ChunkedBody() : new SizedBody(head.body ?? 0);
    this.method = head.method;
    this.url = head.target.uri;
    this.httpVersion = `1.${String(head.minor)}`;
    this.httpVersionMajor = 1;
    this.httpVersionMinor = head.minor;
    this.rawHeaders = head.rawHeaders;
    this.headers = joined(head.rawHeaders);
    // Only the reader of the body hears of it.
    this.on('error', () => undefined);
    this.complete = this.#decoder.done;
  }

  /**
   * Makes another number of bytes the body, from now on: what the client has sent beyond them is its next request, and
   * what it has not sent yet is waited for. Chunks keep the length that they have.
   *
   * @param length in bytes. Call it only before anything was read.
   */
  declareLength(length: number): void {
    if (this.#decoder instanceof ChunkedBody) return;
    this.#decoder = new SizedBody(length);
    this.complete = this.#decoder.done;
  }

  override _read(size: number): void {
    // node:http's own state asks for it; it lets the socket flow.
    super._read(size);
    if (this.#reading || this.#ended) return;
    this.#reading = true;
    this.#readPieces().then(
      (pieces) => {
        this.#reading = false;
        for (const piece of pieces) this.push(piece);
        if (this.#decoder.done) this.#finishBody();
      },
      (error: unknown) => this.destroy(error as Error),
    );
  }

  /** The connection outlives the request. The server of the connection ends it. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error);
  }

  /** Reads the rest of the body and forgets it. Resolves with false if the connection cannot go on. */
  async drain(): Promise<boolean> {
    if (this.#decoder.done) return true;
    if (this.destroyed) return false;
    const longestMs = Math.min(lingeringTimeMs, this.#bodyTimeoutMs);
    this.#bodyTimeoutMs = Math.min(lingeringPauseMs, longestMs);
    this.unpipe();
    this.resume();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, longestMs);
      this.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    return this.#decoder.done;
  }

  /** The next pieces of content, none at the end. @throws InvalidChunk, BodyStalled */
  async #readPieces(): Promise<Buffer[]> {
    const pieces: Buffer[] = [];
    while (pieces.length === 0 && !this.#decoder.done) {
      const bytes = await this.#source.read(this.#bodyTimeoutMs).catch(stalled);
      if (bytes === null) throw new Error('the client closed the connection while sending the body');
      const taken = this.#decoder.read(bytes, (piece) => pieces.push(piece));
      this.bodyBytes += taken;
      this.#source.unread(bytes.subarray(taken));
    }
    return pieces;
  }

  #finishBody(): void {
    this.complete = true;
    this.#ended = true;
    this.push(null);
  }
}

/** Headers by name in lower case, lines of one name joined. */
function joined(raw: readonly string[]): Record<string, string> {
  const headers = Object.create(null) as Record<string, string>;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const key = (raw[i] as string).toLowerCase();
    const before = headers[key];
    headers[key] = before === undefined ? (raw[i + 1] as string) : `${before}, ${raw[i + 1] as string}`;
  }
  return headers;
}

function stalled(error: unknown): never {
  if (error instanceof ReadTimeout) throw new BodyStalled('the client stopped sending the body');
  throw error;
}
