import { Buffer } from 'node:buffer';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { rowByName } from '../../src/pdk/catalogue.ts';
import { KongConnection } from '../../src/server/connection/connection.ts';
import { runtimeOf } from '../../src/server/connection/runtime.ts';
import type { ConnectionHost } from '../../src/server/connection/host.ts';
import { FrameDecoder, encodeFrame } from '../../src/wire/protobuf/framing.ts';
import { encodeRpcCall } from '../../src/wire/protobuf/kong-side.ts';
import { decodeArguments, encodeResult } from '../../src/wire/protobuf/kong-side.ts';

/** What Kong saw of one event. */
export interface Seen {
  /** Calls that were asked, in the order of the wire. */
  readonly calls: string[];
  /** Those of them that are not getters. */
  readonly effects: string[];
  readonly writes: number;
  readonly exited: boolean;
}

/**
 * Kong's side of one connection without a socket. Every getter answers with the number of setters before it that it
 * could see, so that an answer shows at which moment it was made: setters of the response change nothing of the request. Bytes come back in pieces of `piece` bytes.
 */
export class KongModel extends EventEmitter {
  readonly writableLength = 0;
  readonly readableLength = 0;
  readonly bytesRead = 0;
  writableEnded = false;
  connection: KongConnection;
  /** Names of functions whose answers are bytes that cannot be read. */
  unreadable: ReadonlySet<string> = new Set();
  /** Answers are held back while this is true. */
  held = false;
  piece: number;
  #decoder = new FrameDecoder();
  #sequence = 0;
  #requestVersion = 0;
  #responseVersion = 0;
  #method: string | null = null;
  #ending = false;
  #calls: string[] = [];
  #effects: string[] = [];
  #writes = 0;
  #over: ((seen: Seen) => void) | null = null;
  #answers: Buffer[] = [];
  #delivering = false;

  constructor(host: ConnectionHost, piece = 1 << 20) {
    super();
    this.piece = piece;
    this.connection = new KongConnection(runtimeOf(host), this as unknown as Socket);
  }

  /** Runs one event; resolves when Kong has heard its end. */
  event(instanceId: number, eventName: string): Promise<Seen> {
    this.#requestVersion = 0;
    this.#responseVersion = 0;
    this.#calls = [];
    this.#effects = [];
    this.#writes = 0;
    const call = encodeRpcCall({
      sequence: ++this.#sequence,
      command: { type: 'handleEvent', instanceId, eventName },
    });
    return new Promise((resolve) => {
      this.#over = resolve;
      this.#deliver(encodeFrame(call));
    });
  }

  /** Lets go of the answers that were held back. */
  release(): void {
    this.held = false;
    this.#pump();
  }

  /** The connection breaks. */
  break(): void {
    this.emit('close');
  }

  write(bytes: Buffer): boolean {
    this.#writes++;
    for (const frame of this.#decoder.push(Buffer.from(bytes))) this.#read(frame);
    return true;
  }

  end(last?: Buffer): void {
    if (last !== undefined) this.write(last);
    this.writableEnded = true;
  }

  destroy(): void {
    this.emit('close');
  }

  pause(): void {}
  resume(): void {}

  #read(frame: Buffer): void {
    if (this.#ending) {
      this.#ending = false;
      this.#finish(false);
    } else if (this.#method !== null) {
      const method = this.#method;
      this.#method = null;
      this.#call(method, frame);
    } else if (frame.length === 0) this.#ending = true;
    else this.#method = frame.toString('latin1');
  }

  #call(method: string, bytes: Buffer): void {
    const row = rowByName(method);
    if (row?.protobuf == null) throw new Error(`Kong does not know ${method}`);
    const args = decodeArguments(row.protobuf.arguments, bytes);
    const text = `${method}(${args.join()})`;
    this.#calls.push(text);
    const travel = method === 'kong.service.set_upstream' ? 'setter' : row.travel.protobuf;
    if (travel !== 'getter') this.#effects.push(text);
    if (travel === 'exit') {
      this.#finish(true);
      return;
    }
    if (travel === 'setter' && method.startsWith('kong.response.')) this.#responseVersion++;
    else if (travel === 'setter') this.#requestVersion++;
    const { result } = row.protobuf;
    const ofRequest = method.startsWith('kong.request.') || method.startsWith('kong.client.');
    const version = this.#requestVersion + (ofRequest ? 0 : this.#responseVersion);
    const value = result === 'String' ? `${args.join()}@${String(version)}` : null;
    this.#deliver(
      this.unreadable.has(method)
        ? encodeFrame(Buffer.from([255]))
        : encodeFrame(encodeResult(result, value)),
    );
  }

  #finish(exited: boolean): void {
    const seen = { calls: this.#calls, effects: this.#effects, writes: this.#writes, exited };
    const over = this.#over;
    this.#over = null;
    // Kong drops the connection after an exit; what it still had to say never comes.
    if (exited) queueMicrotask(() => this.break());
    setImmediate(() => over?.(seen));
  }

  #deliver(bytes: Buffer): void {
    this.#answers.push(bytes);
    this.#pump();
  }

  #pump(): void {
    if (this.#delivering || this.held || this.#answers.length === 0) return;
    this.#delivering = true;
    setImmediate(() => {
      this.#delivering = false;
      if (this.held) return;
      const bytes = Buffer.concat(this.#answers);
      const piece = Buffer.from(bytes.subarray(0, this.piece));
      this.#answers = bytes.length > this.piece ? [bytes.subarray(this.piece)] : [];
      this.connection.read(piece);
      // What was read is written over, as in the buffer that all connections share.
      piece.fill(0xff);
      this.#pump();
    });
  }
}
