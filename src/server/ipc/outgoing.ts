import type { Ask, Message } from './messages.ts';

/** How much may wait for a process that does not read, in bytes: twice the largest frame. */
const mostWaiting = 128 * 1024 * 1024;
/** What a message takes besides the bytes that Kong has sent. */
const ownBytes = 512;

/**
 * The messages to another process. If that process does not read, Node keeps copies of them without a limit. So this
 * class counts what Kong or a plugin has sent (configurations, results of calls) until it has left, and refuses more
 * when too much waits.
 */
export class Outgoing {
  readonly #write: (message: Message, sent: () => void) => void;
  readonly #most: number;
  #bytes = 0;

  /** @param write calls `sent` when the message has left this process, or never will */
  constructor(write: (message: Message, sent: () => void) => void, most = mostWaiting) {
    this.#write = write;
    this.#most = most;
  }

  /** What waits, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Small messages and the first one always leave.
   * @returns false if too much waits already; then nothing was sent
   */
  send(message: Message): boolean {
    const size = ownBytes + sizeOf(message);
    if (size > 2 * ownBytes && this.#bytes > 0 && this.#bytes + size > this.#most) return false;
    this.#bytes += size;
    let left = false;
    this.#write(message, () => {
      if (!left) this.#bytes -= size;
      left = true;
    });
    return true;
  }
}

function sizeOf(message: Message): number {
  if (message.type === 'ask') return sizeOfAsk(message.ask);
  if (message.type === 'withhold') return message.withheld.config.byteLength;
  if (message.type === 'answer') return (message.error?.message.length ?? 0) + sizeOfAnswer(message.value);
  return 0;
}

function sizeOfAsk(ask: Ask): number {
  if (ask.op === 'record') return ask.record.config.byteLength;
  if (ask.op === 'step') return (ask.message as { size?: number }).size ?? 0;
  return 0;
}

/** Of an instance, or of the next call of an event. */
function sizeOfAnswer(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const { config, args } = value as { config?: unknown; args?: unknown };
  const bytes = config ?? args;
  return bytes instanceof Uint8Array ? bytes.byteLength : 0;
}
