import type { ErrorCode } from '../../base/errors.ts';
import { KongTsError, messageOf } from '../../base/errors.ts';
import type { Ask, Message, WireError } from './messages.ts';
import type { Outgoing } from './outgoing.ts';

const tooMuch = 'too much waits for a process of this server that does not read';
/** In UTF-16 units. */
const longestError = 500;

type Handler = (ask: Ask) => unknown;

/** Questions and answers over a channel of messages; the same on both of its ends. */
export class Peer {
  readonly #outgoing: Pick<Outgoing, 'send'>;
  readonly #handle: Handler;
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  #lastId = 0;
  #closed: string | null = null;

  constructor(outgoing: Pick<Outgoing, 'send'>, handle: Handler) {
    this.#outgoing = outgoing;
    this.#handle = handle;
  }

  /**
   * Rejects with the error of the other side, when the channel closes before the answer, or if too much waits already.
   */
  ask(ask: Ask): Promise<unknown> {
    if (this.#closed !== null) return Promise.reject(new Error(this.#closed));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      if (this.#outgoing.send({ type: 'ask', id, ask })) return;
      this.#waiting.delete(id);
      reject(new Error(tooMuch));
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
      if (!this.#outgoing.send({ type: 'answer', id, value, error: null })) throw new Error(tooMuch);
    } catch (error) {
      this.#outgoing.send({ type: 'answer', id, value: null, error: shortened(toWireError(error)) });
    }
  }
}

/** The answer that says so always leaves. */
function shortened({ code, message }: WireError): WireError {
  return {
    code,
    message: message.length > longestError ? `${message.slice(0, longestError - 1)}…` : message,
  };
}

export function toWireError(error: unknown): WireError {
  return { code: error instanceof KongTsError ? error.code : null, message: messageOf(error) };
}

export function fromWireError(error: { code: ErrorCode | null; message: string }): Error {
  return error.code === null ? new Error(error.message) : new KongTsError(error.code, error.message);
}
