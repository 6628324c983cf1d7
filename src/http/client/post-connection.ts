import type { Socket } from 'node:net';
import type { AnswerHead } from './answer-head.ts';
import { AnswerReader } from './answer-reader.ts';
import type { ClosingLimit } from './closing-limit.ts';
import { Outgoing } from './outgoing.ts';
import type { PostConnector } from './post-connect.ts';
import type { Exchange, PostResult } from './post-request.ts';

/** A connection that was idle for longer was closed for that, and not for the number of its answers. */
const closedForIdleMs = 1000;
/** How much sooner than the other side an idle connection is closed here, so that nothing is written into its end. */
const idleMarginMs = 1000;
/** How many bytes of bodies may be on a connection when another request joins them. */
const pipelinedBytes = 65_536;
/** How much of the body of a failure is kept, and how long a body may be. */
const keptBody = 1024;
const longestBody = 65_536;

export interface PostConnectionOptions {
  readonly connector: PostConnector;
  readonly closing: ClosingLimit;
  /** Requests that may wait for their answers on the connection, once it has shown that it stays open. */
  readonly pipelining: number;
  /** Milliseconds for connecting, for the answer's head, and for its body. */
  readonly timeoutMs: number;
  /** Milliseconds that an idle connection is kept; 0 or less: one request for each connection. */
  readonly keepaliveMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** Runs something at the end of the turn. */
  readonly atTurnEnd: (run: () => void) => void;
  /** There is room on the connection. */
  readonly free: () => void;
  /** They were left unanswered by a connection that was closed, and go once more, before all others. */
  readonly again: (exchanges: readonly Exchange[]) => void;
  /** How long the target took for an answer, in milliseconds. */
  readonly answeredIn: (ms: number) => void;
}

/**
 * One connection at a time to a target, opened when it is needed. The first request on it goes alone; when the target has
 * answered it and keeps the connection, others follow without waiting.
 */
export class PostConnection {
  readonly #options: PostConnectionOptions;
  readonly #out = new Outgoing();
  #socket: Socket | null = null;
  #isOpen = false;
  #reader: AnswerReader | null = null;
  /** Written or about to be, in the order of their answers. */
  #unanswered: Exchange[] = [];
  #bytes = 0;
  #answered = 0;
  #lastAnswerAt = 0;
  /** The answer that is coming. */
  #answer: { head: AnswerHead; text: Buffer[]; bytes: number } | null = null;
  #deadline = Infinity;
  #headSince = 0;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = 0;
  #flushing = false;
  /** How many of the last ones are about to be written. */
  #unflushed = 0;

  constructor(options: PostConnectionOptions) {
    this.#options = options;
  }

  /** Requests that wait for their answers. */
  get load(): number {
    return this.#unanswered.length;
  }

  /** Whether a request may be sent on it now. */
  hasRoom({ again, body }: Exchange): boolean {
    const { length } = this.#unanswered;
    if (length === 0) return true;
    if (again || this.#unanswered[0]?.again === true) return false;
    return length < this.#window() && this.#bytes + body.length <= pipelinedBytes;
  }

  send(exchange: Exchange): void {
    if (exchange.again) this.#release();
    this.#unanswered.push(exchange);
    this.#bytes += exchange.body.length;
    if (this.#socket === null) this.#open();
    if (this.#unanswered.length === 1 && this.#isOpen) this.#await();
    this.#out.add(exchange);
    this.#unflushed += 1;
    this.#flushSoon();
  }

  /** Everything on it fails with this error. */
  destroy(error: Error): void {
    this.#fail(error);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #window(): number {
    if (!this.#isOpen || this.#answered === 0) return 1;
    const { pipelining, closing } = this.#options;
    return Math.max(1, Math.min(pipelining, closing.allowance - this.#answered));
  }

  #open(): void {
    const { connector, timeoutMs } = this.#options;
    this.#answered = 0;
    this.#isOpen = false;
    const reader = new AnswerReader({
      head: (head) => this.#head(head),
      data: (bytes) => this.#data(bytes),
      end: () => this.#end(),
    });
    this.#reader = reader;
    this.#setDeadline(timeoutMs);
    // Events of an earlier connection are void.
    const ours = (): boolean => this.#reader === reader;
    this.#socket = connector.connect({
      opened: () => {
        if (!ours()) return;
        this.#isOpen = true;
        this.#await();
        this.#flush();
      },
      data: (bytes) => {
        if (ours()) this.#read(reader, bytes);
      },
      closed: (error) => {
        if (ours()) this.#closed(reader, error);
      },
    });
  }

  /** The first in line has all the time from now on. */
  #await(): void {
    this.#headSince = this.#options.now();
    this.#setDeadline(this.#options.timeoutMs);
  }

  #flushSoon(): void {
    if (!this.#isOpen || this.#flushing) return;
    this.#flushing = true;
    this.#options.atTurnEnd(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#socket === null || !this.#isOpen || this.#out.isEmpty) return;
    this.#unflushed = 0;
    this.#out.flush(this.#socket);
  }

  #read(reader: AnswerReader, bytes: Buffer): void {
    try {
      if (!this.#isAsked) throw new Error('an answer that nobody has asked for');
      reader.push(bytes);
    } catch (error) {
      // What has not been written has not failed.
      if (this.#isAsked) this.#fail(error instanceof Error ? error : new Error(String(error)));
      else this.#closing();
    }
  }

  /** Whether a request that has been written waits for its answer. */
  get #isAsked(): boolean {
    return this.#unanswered.length > this.#unflushed;
  }

  #head(head: AnswerHead): void {
    if (!this.#isAsked) throw new Error('an answer that nobody has asked for');
    this.#answer = { head, text: [], bytes: 0 };
    this.#options.answeredIn(this.#options.now() - this.#headSince);
    if (head.body !== 0) this.#setDeadline(this.#options.timeoutMs);
  }

  #data(bytes: Buffer): void {
    const answer = this.#answer;
    if (answer === null) return;
    if (answer.head.status >= 300 && answer.bytes < keptBody)
      answer.text.push(Buffer.from(bytes.subarray(0, keptBody - answer.bytes)));
    answer.bytes += bytes.length;
    if (answer.bytes > longestBody) throw new Error(`an answer of more than ${String(longestBody)} bytes`);
  }

  #end(): void {
    const head = this.#answer?.head;
    this.#answered += 1;
    this.#lastAnswerAt = this.#options.now();
    const exchange = this.#take();
    const result = this.#result();
    if (head?.keepsAlive === true && this.#options.keepaliveMs > 0) this.#goOn(head);
    else this.#closing();
    if (result !== null && exchange !== undefined) this.#tell(exchange, result);
    if (this.#socket !== null) this.#options.free();
  }

  /** An answer can come before the whole body has left: until then the body is not the sender's again. */
  #tell({ leaving, done }: Exchange, result: PostResult): void {
    if (leaving === null) {
      done(result);
      return;
    }
    leaving.then = () => done(result);
    if (this.#unanswered.length === 0 && this.#socket !== null) this.#setDeadline(this.#options.timeoutMs);
  }

  /** What the answer says that has come, also where its body broke off; null without one. */
  #result(): PostResult | null {
    const answer = this.#answer;
    this.#answer = null;
    if (answer === null) return null;
    const { status, retryAfter } = answer.head;
    return { status, retryAfter, body: Buffer.concat(answer.text).toString('utf8'), error: null };
  }

  #goOn({ idleMs }: AnswerHead): void {
    if (this.#unanswered.length > 0) {
      this.#await();
      return;
    }
    const { keepaliveMs } = this.#options;
    this.#setDeadline(
      idleMs === null ? keepaliveMs : Math.min(keepaliveMs, Math.max(1, idleMs - idleMarginMs)),
    );
  }

  #take(): Exchange | undefined {
    const exchange = this.#unanswered.shift();
    if (exchange !== undefined) this.#bytes -= exchange.body.length;
    return exchange;
  }

  /** The target has said that this answer is the last one: it has not worked on what is behind it. */
  #closing(): void {
    const left = this.#release();
    if (left.length > 0) {
      this.#options.closing.closed(this.#answered);
      this.#options.again(left);
    }
    this.#options.free();
  }

  #closed(reader: AnswerReader, error: Error | null): void {
    try {
      reader.close();
    } catch (problem) {
      this.#fail(problem instanceof Error ? problem : new Error(String(problem)));
    }
    if (this.#reader !== reader) return;
    const [first] = this.#unanswered;
    const wasOpen = this.#isOpen && isClosed(error);
    if (first === undefined) {
      this.#release();
      return;
    }
    if (!wasOpen || this.#answered === 0 || first.again || this.#answer !== null) {
      this.#fail(error ?? new Error('the other side has closed the connection before its answer'));
      return;
    }
    // They may have arrived, all the same: they go once more and not again.
    if (this.#options.now() - this.#lastAnswerAt < closedForIdleMs)
      this.#options.closing.closed(this.#answered);
    const left = this.#release();
    for (const exchange of left) exchange.again = true;
    this.#options.again(left);
    this.#options.free();
  }

  /** Everything that waits here has failed; an answer whose head has come is one. */
  #fail(error: Error): void {
    const result = this.#result();
    const first = result === null ? undefined : this.#take();
    const left = this.#release();
    // With one request at a time, it is always clear whose failure it was.
    if (left.length > 1) this.#options.closing.closed(1);
    if (result !== null) first?.done(result);
    for (const [i, { done }] of left.entries())
      done({ status: null, error: i === 0 ? error : behind(error) });
    this.#options.free();
  }

  /** Gives the connection up. Returns what it has left unanswered. */
  #release(): Exchange[] {
    const left = this.#unanswered;
    this.#unanswered = [];
    this.#bytes = 0;
    this.#unflushed = 0;
    this.#out.clear();
    this.#reader?.stop();
    this.#reader = null;
    this.#answer = null;
    this.#isOpen = false;
    this.#socket?.destroy();
    this.#socket = null;
    this.#deadline = Infinity;
    return left;
  }

  /** A timer goes on while the deadline moves away from it. */
  #setDeadline(ms: number): void {
    this.#deadline = this.#options.now() + ms;
    if (this.#timer === null || this.#deadline < this.#timerAt) this.#arm(ms);
  }

  #arm(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = this.#options.now() + ms;
    this.#timer = setTimeout(() => this.#check(), Math.min(ms, 0x7fffffff)).unref();
  }

  #check(): void {
    this.#timer = null;
    if (this.#deadline === Infinity) return;
    const left = this.#deadline - this.#options.now();
    if (left > 0) this.#arm(left);
    else if (this.#unanswered.length === 0) this.#release();
    else this.#fail(new Error(this.#isOpen ? this.#late() : `no connection within ${this.#limit}`));
  }

  #late(): string {
    return this.#answer === null
      ? `no answer within ${this.#limit}`
      : `no whole answer within ${this.#limit}`;
  }

  get #limit(): string {
    return `${String(this.#options.timeoutMs)} ms`;
  }
}

const closeCodes = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/** Whether the other side has ended the connection, and nothing else went wrong. */
const isClosed = (error: Error | null): boolean =>
  error === null || ('code' in error && typeof error.code === 'string' && closeCodes.has(error.code));

const behind = (cause: Error): Error =>
  new Error(`an earlier request on the same connection failed: ${cause.message}`, { cause });
