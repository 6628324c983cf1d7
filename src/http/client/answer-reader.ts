import { ChunkedBody } from '../http1/chunked-body.ts';
import { SizedBody } from '../http1/sized-body.ts';
import { BadAnswer, readAnswerHead } from './answer-head.ts';
import type { AnswerHead } from './answer-head.ts';

/** Hears what comes. */
export interface AnswerSink {
  /** The head of an answer; informational ones are passed over. */
  head(head: AnswerHead): void;
  /** Bytes of its body: they are valid during this call only. */
  data(bytes: Buffer): void;
  end(): void;
}

/** How many bytes may come before the head of an answer is complete, informational answers and empty lines included. */
const longestHead = 65_536;
const lineFeed = 10;
const carriageReturn = 13;

/** Reads the answers of one connection, one after the other, however their bytes are cut. */
export class AnswerReader {
  readonly #sink: AnswerSink;
  /** The beginning of a head, copied: the bytes that come are those of whoever reads the socket. */
  #held = Buffer.alloc(0);
  #heldLength = 0;
  #headBytes = 0;
  #body: ChunkedBody | SizedBody | 'until-closed' | null = null;
  #stopped = false;
  /** Most answers of a target have the same head. */
  #lastBytes = Buffer.alloc(0);
  #lastHead: AnswerHead | null = null;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  /** @throws BadAnswer, InvalidChunk: later bytes cannot be understood */
  push(bytes: Buffer): void {
    let left = bytes;
    while (left.length > 0 && !this.#stopped) {
      const body = this.#body;
      if (body === null) left = this.#readHead(left);
      else if (body === 'until-closed') {
        this.#sink.data(left);
        return;
      } else {
        left = left.subarray(body.read(left, (content) => this.#sink.data(content)));
        if (body.done) this.#end();
      }
    }
  }

  /** The other side has closed the connection. */
  close(): void {
    if (this.#body === 'until-closed' && !this.#stopped) this.#end();
  }

  /** Nothing is read any more. */
  stop(): void {
    this.#stopped = true;
  }

  #end(): void {
    this.#body = null;
    this.#sink.end();
  }

  #readHead(bytes: Buffer): Buffer {
    const before = this.#heldLength;
    const whole = before === 0 ? withoutEmptyLines(bytes) : this.#hold(bytes);
    const end = this.#startsAsLast(whole) ? this.#lastBytes.length : endOfHead(whole, before - 2);
    const left = end < 0 ? 0 : whole.length - end;
    this.#headBytes += bytes.length - left;
    if (this.#headBytes > longestHead) throw new BadAnswer('the head of an answer has no end');
    if (end < 0) {
      if (before === 0) this.#hold(whole);
    } else {
      this.#heldLength = 0;
      const head = this.#parse(whole, end);
      if (head.status === 101) throw new BadAnswer('another protocol, which was not asked for');
      if (head.status >= 200) this.#begin(head);
    }
    return bytes.subarray(bytes.length - left);
  }

  /** Adds to the beginning of a head, and returns all of it. */
  #hold(bytes: Buffer): Buffer {
    const length = this.#heldLength + bytes.length;
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(512, 2 * length));
      this.#held.copy(larger, 0, 0, this.#heldLength);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#heldLength);
    this.#heldLength = length;
    return this.#held.subarray(0, length);
  }

  #startsAsLast(bytes: Buffer): boolean {
    const { length } = this.#lastBytes;
    return length > 0 && bytes.length >= length && this.#lastBytes.compare(bytes, 0, length) === 0;
  }

  #parse(bytes: Buffer, end: number): AnswerHead {
    if (this.#lastHead !== null && this.#startsAsLast(bytes)) return this.#lastHead;
    this.#lastHead = readAnswerHead(bytes.toString('latin1', 0, end));
    this.#lastBytes = Buffer.from(bytes.subarray(0, end));
    return this.#lastHead;
  }

  #begin(head: AnswerHead): void {
    this.#headBytes = 0;
    this.#sink.head(head);
    if (this.#stopped) return;
    if (head.body === 0) this.#end();
    else if (head.body === 'chunked') this.#body = new ChunkedBody();
    else this.#body = head.body === 'until-closed' ? 'until-closed' : new SizedBody(head.body);
  }
}

function withoutEmptyLines(bytes: Buffer): Buffer {
  let at = 0;
  while (bytes[at] === carriageReturn || bytes[at] === lineFeed) at++;
  return at === 0 ? bytes : bytes.subarray(at);
}

/** Where what follows a head begins; -1 where its end has not come. Up to `from` there is none. */
function endOfHead(bytes: Buffer, from: number): number {
  for (let lf = bytes.indexOf(lineFeed, Math.max(0, from)); lf >= 0; lf = bytes.indexOf(lineFeed, lf + 1)) {
    const next = bytes[lf + 1] === carriageReturn ? lf + 2 : lf + 1;
    if (bytes[next] === lineFeed) return next + 1;
  }
  return -1;
}
