/** What all requests of one kind have in common, as bytes. */
export interface PostHead {
  readonly bytes: Buffer;
}

/** What came of a request: the other side's answer, or why there is none. */
export type PostResult =
  | {
      readonly status: number;
      /** The beginning of the body as text; empty where the status is below 300. */
      readonly body: string;
      /** The header Retry-After as it came, null without one. */
      readonly retryAfter: string | null;
      readonly error: null;
    }
  | { readonly status: null; readonly error: Error };

/** One request on its way. */
export interface Exchange {
  readonly head: PostHead;
  readonly body: Buffer;
  readonly done: (result: PostResult) => void;
  /** A connection that was closed left it unanswered: it goes once more, with nothing beside it on its connection. */
  again: boolean;
  /** When it came to wait for a place, in milliseconds. */
  since: number;
  /** Its body, while the socket holds on to it; null where it was copied or has left. */
  leaving: Leaving | null;
}

/** A body on its way out. */
export interface Leaving {
  /** What waits for that. */
  then: (() => void) | null;
}

const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
const unsafe = /[^\t -~\u0080-\u00ff]/;

/**
 * Writes the beginning of a request's head down, once for all requests that have it.
 *
 * @param target path and query
 * @param headers name, value, name, value...: without Host, Connection and Content-Length; latin1
 * @throws TypeError for what would end a line or the head
 */
export function postHead(
  method: string,
  host: string,
  target: string,
  headers: readonly string[],
  keepsAlive = true,
): PostHead {
  if (!token.test(method) || !/^[!-~]+$/.test(target)) throw new TypeError('no request line');
  let text = `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: ${keepsAlive ? 'keep-alive' : 'close'}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name = '', value = ''] = [headers[i], headers[i + 1]];
    if (!token.test(name) || unsafe.test(value)) throw new TypeError(`no header: ${name}`);
    text += `${name}: ${value}\r\n`;
  }
  return { bytes: Buffer.from(`${text}content-length: `, 'latin1') };
}

/** How many bytes the head of a request with such a body may take. */
export const headSpace = ({ bytes }: PostHead): number => bytes.length + 24;

/** Writes a whole head to `target`. Returns where it ends. */
export function writePostHead({ bytes }: PostHead, bodyLength: number, target: Buffer, at: number): number {
  bytes.copy(target, at);
  const length = `${String(bodyLength)}\r\n\r\n`;
  return at + bytes.length + target.write(length, at + bytes.length, 'latin1');
}
