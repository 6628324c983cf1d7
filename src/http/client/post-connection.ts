import type { Socket } from 'node:net';
import { Client } from 'undici';
import type { buildConnector } from 'undici';
import type { ClosingLimit } from './closing-limit.ts';
import { containThrows } from './contain-throws.ts';
import { Attempt } from './post-attempt.ts';
import type { AttemptListener } from './post-attempt.ts';
import type { Exchange, PostResult } from './post-request.ts';

/** A connection that was idle for longer was closed for that, and not for the number of its answers. */
const closedForIdleMs = 1000;
/** How much sooner than the other side an idle connection is closed here, so that nothing is written into its end. */
const idleMarginMs = 1000;
/** How many bytes of bodies may be on a connection when another request joins them. */
const pipelinedBytes = 65_536;
/** How many bytes the head of an answer may have. */
const longestHead = 65_536;

export interface PostConnectionOptions {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly connector: buildConnector.connector;
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
 * answered it and keeps the connection, others follow without waiting. Each connection has a `Client` of undici of its
 * own: undici would send what a connection leaves unanswered again and again, and nobody would hear of it.
 */
export class PostConnection {
  readonly #options: PostConnectionOptions;
  #client: Client | null = null;
  #hears: AttemptListener = deaf;
  #socket: Socket | null = null;
  /** Sent or about to be, in the order of their answers. */
  #unanswered: Attempt[] = [];
  /** How many of the last ones are about to be sent. */
  #unsent = 0;
  #bytes = 0;
  #answered = 0;
  #lastAnswerAt = 0;
  #isEnding = false;
  #corked = false;
  #deadline = Infinity;
  #headSince = 0;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = 0;
  #flushing = false;

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
    if (length === 0) return !this.#isEnding;
    if (again || this.#unanswered[0]?.exchange.again === true) return false;
    return length < this.#window() && this.#bytes + body.length <= pipelinedBytes;
  }

  send(exchange: Exchange): void {
    if (exchange.again) this.#release();
    if (this.#client === null) this.#open();
    this.#unanswered.push(new Attempt(exchange, this.#hears));
    this.#bytes += exchange.body.length;
    this.#unsent += 1;
    if (this.#unanswered.length === 1 && this.#socket !== null) this.#await();
    this.#flushSoon();
  }

  /** Everything on it fails with this error. */
  destroy(error: Error): void {
    this.#fail(error);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #window(): number {
    if (this.#answered === 0 || this.#isEnding) return 1;
    const { pipelining, closing } = this.#options;
    return Math.max(1, Math.min(pipelining, closing.allowance - this.#answered));
  }

  #open(): void {
    const { origin, connector, pipelining, timeoutMs, keepaliveMs } = this.#options;
    const client: Client = new Client(origin, {
      pipelining,
      maxHeaderSize: longestHead,
      // Limits of our own: those of undici begin anew with each byte of a body, and have half a second of tolerance.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: Math.max(1, keepaliveMs),
      keepAliveMaxTimeout: Math.max(1, keepaliveMs),
      keepAliveTimeoutThreshold: idleMarginMs,
      connect: (to, callback) =>
        connector(to, (...made) => {
          if (made[0] === null && client === this.#client) this.#opened(client, made[1]);
          callback(...made);
        }),
    });
    client.on('disconnect', (_origin, _targets, error) => this.#closed(client, error));
    client.on('connectionError', (_origin, _targets, error) => {
      if (client === this.#client) this.#fail(error);
    });
    this.#answered = 0;
    this.#client = client;
    this.#hears = this.#listener(client);
    this.#setDeadline(timeoutMs);
  }

  #opened(client: Client, socket: Socket): void {
    this.#socket = socket;
    // undici throws at some of what a target can send.
    containThrows(socket, (error) => {
      if (client === this.#client) this.#fail(error instanceof Error ? error : new Error(String(error)));
    });
    this.#await();
  }

  #listener(client: Client): AttemptListener {
    return {
      writing: () => this.#cork(),
      answering: (attempt) => {
        if (client === this.#client) this.#answering(attempt);
      },
      answered: (attempt) => {
        if (client === this.#client) this.#end(attempt);
      },
    };
  }

  /** The first in line has all the time from now on. */
  #await(): void {
    this.#headSince = this.#options.now();
    this.#setDeadline(this.#options.timeoutMs);
  }

  /**
   * Not at once: an answer may be coming just now that nobody has asked for, and undici would take it for that of the
   * next request.
   */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.atTurnEnd(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    const { keepaliveMs } = this.#options;
    const client = this.#client;
    const unsent = this.#unanswered.slice(this.#unanswered.length - this.#unsent);
    this.#unsent = 0;
    for (const attempt of unsent) {
      const { head, body } = attempt.exchange;
      // None of them waits for the answer to another one, which undici allows for what may be repeated only.
      const how = { idempotent: true, blocking: false, reset: keepaliveMs <= 0 };
      client?.dispatch(
        { method: head.method, path: head.path, headers: head.headers, body, ...how },
        attempt,
      );
    }
  }

  /** What is written in one go leaves in one piece. */
  #cork(): void {
    const socket = this.#socket;
    if (this.#corked || socket === null) return;
    this.#corked = true;
    socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      socket.uncork();
    });
  }

  #answering(attempt: Attempt): void {
    this.#options.answeredIn(this.#options.now() - this.#headSince);
    this.#isEnding ||= attempt.isLast;
    this.#setDeadline(this.#options.timeoutMs);
  }

  #end(attempt: Attempt): void {
    this.#answered += 1;
    this.#lastAnswerAt = this.#options.now();
    this.#unanswered.shift();
    this.#bytes -= attempt.exchange.body.length;
    this.#isEnding ||= this.#options.keepaliveMs <= 0;
    if (this.#unanswered.length > 0) this.#await();
    else this.#deadline = Infinity;
    if (attempt.result !== null) this.#tell(attempt, attempt.result);
    this.#options.free();
  }

  /** An answer can come before the whole body has left: until then the body is not the sender's again. */
  #tell({ exchange: { done } }: Attempt, result: PostResult): void {
    const socket = this.#socket;
    if (socket === null || socket.writableLength === 0 || socket.destroyed) {
      done(result);
      return;
    }
    socket.write('', () => done(result));
    if (this.#unanswered.length === 0) this.#setDeadline(this.#options.timeoutMs);
  }

  /**
   * undici has told the first in line of an error before this, unless it has closed the connection by itself or has not
   * written that one yet.
   */
  #closed(client: Client, error: Error): void {
    if (client !== this.#client) return;
    const [first] = this.#unanswered;
    if (first === undefined || first.error === null) this.#closing();
    else if (this.#isRepeatable(first, error)) this.#repeat();
    else this.#fail(isClosed(first.error) ? closedBefore(first.error) : first.error);
  }

  /** The target has not worked on what is left: its last answer said that it is the last, or nothing was written. */
  #closing(): void {
    const left = this.#release();
    if (left.length > 0) {
      this.#options.closing.closed(this.#answered);
      this.#options.again(left);
    }
    this.#options.free();
  }

  /** Whether the connection may have been idle for too long, or was closed after so many answers. */
  #isRepeatable(first: Attempt, error: Error): boolean {
    return this.#answered > 0 && !first.exchange.again && first.result === null && isClosed(error);
  }

  /** They may have arrived, all the same: they go once more and not again. */
  #repeat(): void {
    if (this.#options.now() - this.#lastAnswerAt < closedForIdleMs)
      this.#options.closing.closed(this.#answered);
    const left = this.#release();
    for (const exchange of left) exchange.again = true;
    this.#options.again(left);
    this.#options.free();
  }

  /** Everything that waits here has failed; an answer whose head has come is one. */
  #fail(error: Error): void {
    const result = this.#unanswered[0]?.result ?? null;
    const left = this.#release(error);
    // With one request at a time, it is always clear whose failure it was.
    if (left.length - (result === null ? 0 : 1) > 1) this.#options.closing.closed(1);
    for (const [i, { done }] of left.entries()) {
      if (i === 0) done(result ?? { status: null, error });
      else done({ status: null, error: i === 1 && result !== null ? error : behind(error) });
    }
    this.#options.free();
  }

  /** Gives the connection up. Returns what it has left unanswered. */
  #release(error: Error = new Error('the connection is not used any more')): Exchange[] {
    const left = this.#unanswered.map(({ exchange }) => exchange);
    const client = this.#client;
    this.#unanswered = [];
    this.#unsent = 0;
    this.#bytes = 0;
    this.#isEnding = false;
    this.#corked = false;
    this.#client = null;
    this.#hears = deaf;
    this.#socket = null;
    this.#deadline = Infinity;
    if (client !== null) void client.destroy(error);
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
    else this.#fail(new Error(this.#socket === null ? `no connection within ${this.#limit}` : this.#late()));
  }

  #late(): string {
    return this.#unanswered[0]?.result === null
      ? `no answer within ${this.#limit}`
      : `no whole answer within ${this.#limit}`;
  }

  get #limit(): string {
    return `${String(this.#options.timeoutMs)} ms`;
  }
}

const nothing = (): void => undefined;
const deaf: AttemptListener = { writing: nothing, answering: nothing, answered: nothing };

const codeOf = (error: Error): unknown => ('code' in error ? error.code : undefined);

const closeCodes = new Set<unknown>(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/** Whether the other side has ended the connection, and nothing else went wrong. */
const isClosed = (error: Error): boolean =>
  closeCodes.has(codeOf(error)) ||
  (codeOf(error) === 'UND_ERR_SOCKET' && /^(?:other side )?closed$/.test(error.message));

const closedBefore = (cause: Error): Error =>
  new Error(`the other side has closed the connection before its answer: ${cause.message}`, { cause });

const behind = (cause: Error): Error =>
  new Error(`an earlier request on the same connection failed: ${cause.message}`, { cause });
