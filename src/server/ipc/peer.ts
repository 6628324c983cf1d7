import { KongTsError, messageOf, type ErrorCode } from '../../base/errors.ts';
import type { Ask, Message, WireError } from './messages.ts';

type Handler = (ask: Ask) => unknown;

/** Questions and answers over a channel of messages; the same on both of its ends. */
export class Peer {
  readonly #send: (message: Message) => void;
  readonly #handle: Handler;
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  #lastId = 0;
  #closed: string | null = null;

  constructor(send: (message: Message) => void, handle: Handler) {
    this.#send = send;
    this.#handle = handle;
  }

  /** Rejects with the error of the other side, or when the channel closes before the answer. */
  ask(ask: Ask): Promise<unknown> {
    if (this.#closed !== null) return Promise.reject(new Error(this.#closed));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send({ type: 'ask', id, ask });
    });
  }

  /** Takes a message if it is a question or an answer. */
  receive(message: Message): boolean {
    if (message.type === 'answer') {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.error === null) waiting?.resolve(message.value);
      else waiting?.reject(fromWireError(message.error));
      return true;
    }
    if (message.type !== 'ask') return false;
    void this.#answer(message.id, message.ask);
    return true;
  }

  /** Rejects what waits and what will be asked. */
  close(reason: string): void {
    this.#closed = reason;
    for (const { reject } of this.#waiting.values()) reject(new Error(reason));
    this.#waiting.clear();
  }

  async #answer(id: number, ask: Ask): Promise<void> {
    try {
      const value = await this.#handle(ask);
      this.#send({ type: 'answer', id, value, error: null });
    } catch (error) {
      this.#send({ type: 'answer', id, value: null, error: toWireError(error) });
    }
  }
}

export function toWireError(error: unknown): WireError {
  return { code: error instanceof KongTsError ? error.code : null, message: messageOf(error) };
}

export function fromWireError(error: { code: ErrorCode | null; message: string }): Error {
  return error.code === null ? new Error(error.message) : new KongTsError(error.code, error.message);
}
