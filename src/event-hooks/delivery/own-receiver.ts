import { createHmac } from 'node:crypto';
import { sameText } from '../../base/same-text.ts';
import type { Clock } from '../../base/clock.ts';
import type { HttpAnswer, HttpRequest } from './exchange.ts';

/** Where hooks send to what this process itself receives. No name server knows the name, and no connection is made. */
export const receiverOrigin = 'http://receiver.kong-ts.internal';

/** How many deliveries are remembered, and how much of each body, in bytes. */
const kept = 100;
const longestBody = 64 * 1024;

/** `unknown`: nobody here knows the secret. */
export type Judgement = 'valid' | 'invalid' | 'absent' | 'unknown';

/** A delivery that was received here. */
export interface ReceivedHere {
  /** The value of `webhook-id`. */
  readonly id: string;
  /** When it came, in milliseconds since the epoch. */
  readonly at: number;
  readonly hookId: string | null;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The beginning of the body. */
  readonly body: string;
  readonly isCut: boolean;
  readonly bytes: number;
  readonly standard: Judgement;
  readonly kong: Judgement;
}

/** What a hook signs with. */
export interface SigningSecrets {
  readonly secret: string;
  readonly algorithm: 'sha256' | 'sha1';
}

export interface OwnReceiverOptions {
  readonly clock: Clock;
  /** null: there is no such hook, or it signs nothing. */
  readonly secretsOf: (hookId: string) => SigningSecrets | null;
}

/**
 * A target within this process, so that somebody who has no receiver yet sees what one gets. It remembers the last deliveries
 * and checks their signatures as a receiver does.
 */
export class OwnReceiver {
  readonly #options: OwnReceiverOptions;
  readonly #listeners = new Set<(received: ReceivedHere) => void>();
  #received: ReceivedHere[] = [];

  constructor(options: OwnReceiverOptions) {
    this.#options = options;
  }

  /** What handlers send with in place of a connection. */
  readonly target = {
    send: async (request: HttpRequest): Promise<HttpAnswer> => {
      this.#take(request);
      return {
        status: 200,
        headers: { 'content-type': 'text/plain' },
        body: 'received by the console',
        error: null,
        sent: 1,
        address: null,
      };
    },
    close: async (): Promise<void> => {},
  };

  /** The newest first. */
  list(): readonly ReceivedHere[] {
    return this.#received;
  }
  clear(): void {
    this.#received = [];
  }
  /** @returns the function that ends it */
  watch(listener: (received: ReceivedHere) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #take({ method, path, headers: list, body }: HttpRequest): void {
    const headers: Record<string, string> = {};
    for (let at = 0; at + 1 < list.length; at += 2) headers[list[at] ?? ''] = list[at + 1] ?? '';
    const bytes = Buffer.from(body ?? '');
    const id = headers['webhook-id'] ?? '';
    const at = id.indexOf('_');
    const hookId = at === -1 ? null : id.slice(at + 1);
    const received: ReceivedHere = {
      id,
      at: this.#options.clock.now(),
      hookId,
      method,
      path,
      headers,
      body: bytes.subarray(0, longestBody).toString('utf8'),
      isCut: bytes.length > longestBody,
      bytes: bytes.length,
      ...judge(headers, bytes, hookId === null ? null : this.#options.secretsOf(hookId)),
    };
    this.#received = [received, ...this.#received.slice(0, kept - 1)];
    for (const listener of [...this.#listeners]) listener(received);
  }
}

/** Checks the signatures as their descriptions say, and not with what has made them. */
function judge(
  headers: Readonly<Record<string, string>>,
  body: Buffer,
  secrets: SigningSecrets | null,
): { standard: Judgement; kong: Judgement } {
  const kong = headers['x-kong-signature'];
  const standard = headers['webhook-signature'];
  const verdict = (
    given: string | undefined,
    isGood: (given: string, known: SigningSecrets) => boolean,
  ): Judgement => {
    if (given === undefined) return 'absent';
    if (secrets === null) return 'unknown';
    return isGood(given, secrets) ? 'valid' : 'invalid';
  };
  return {
    kong: verdict(kong, (given, { secret, algorithm }) =>
      sameText(given, createHmac(algorithm, secret).update(body).digest('hex')),
    ),
    standard: verdict(standard, (given, { secret }) => {
      const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
      const head = `${headers['webhook-id'] ?? ''}.${headers['webhook-timestamp'] ?? ''}.`;
      const wanted = createHmac('sha256', key).update(head).update(body).digest('base64');
      return given.split(' ').some((one) => sameText(one, `v1,${wanted}`));
    }),
  };
}
