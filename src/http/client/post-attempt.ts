import type { Dispatcher } from 'undici';
import type { Exchange, PostResult } from './post-request.ts';

/** How much of the body of a failure is kept, and how long a body may be. */
const keptBody = 1024;
const longestBody = 65_536;

/** What hears of an attempt. */
export interface AttemptListener {
  /** It is about to be written. */
  writing(): void;
  /** The head of its answer has come. */
  answering(attempt: Attempt): void;
  answered(attempt: Attempt): void;
}

/** What undici is told about one request on one connection, and tells of it. */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly exchange: Exchange;
  /** Why there is no answer, or none that is whole. */
  error: Error | null = null;
  /** Whether the target has said that its connection ends with this answer. */
  isLast = false;
  readonly #listener: AttemptListener;
  #status = 0;
  #retryAfter: string | null = null;
  #text: Buffer[] = [];
  #bytes = 0;

  constructor(exchange: Exchange, listener: AttemptListener) {
    this.exchange = exchange;
    this.#listener = listener;
  }

  /** What the answer says that has come, also where its body broke off; null without one. */
  get result(): PostResult | null {
    if (this.#status === 0) return null;
    const body = this.#text.length === 0 ? '' : Buffer.concat(this.#text).toString('utf8');
    return { status: this.#status, retryAfter: this.#retryAfter, body, error: null };
  }

  onRequestStart(): void {
    this.#listener.writing();
  }

  onResponseStart(
    _controller: unknown,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    const { 'retry-after': retryAfter = null, connection } = headers;
    this.#retryAfter = Array.isArray(retryAfter) ? (retryAfter[0] ?? null) : retryAfter;
    this.isLast = connection !== undefined && /\bclose\b/i.test(String(connection));
    this.#listener.answering(this);
  }

  onResponseData(controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.#status >= 300 && this.#bytes < keptBody)
      this.#text.push(Buffer.from(bytes.subarray(0, keptBody - this.#bytes)));
    this.#bytes += bytes.length;
    if (this.#bytes > longestBody)
      controller.abort(new Error(`an answer of more than ${String(longestBody)} bytes`));
  }

  onResponseEnd(): void {
    this.#listener.answered(this);
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.error = error;
  }
}
