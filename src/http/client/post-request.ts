import type { Dispatcher } from 'undici';

/** What all requests of one kind have in common. */
export interface PostHead {
  readonly method: Dispatcher.HttpMethod;
  /** Path and query. */
  readonly path: string;
  /** Name, value, name, value... */
  readonly headers: string[];
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
  /** When it came to wait for a place, in milliseconds of a clock that never goes back. */
  since: number;
}

const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
/** They belong to the connection: undici sends no request with one of them, and tells nobody in time. */
const ofConnection = /^(?:content-length|transfer-encoding|expect|upgrade|keep-alive)$/i;
const unsafe = /[^\t -~\u0080-\u00ff]/;

/**
 * Checks the beginning of a request's head, once for all requests that have it.
 *
 * @param path path and query
 * @param headers name, value, name, value...: without Host, Connection and Content-Length; latin1
 * @throws TypeError for what would end a line or the head, and for headers that belong to the connection
 */
export function postHead(method: string, path: string, headers: readonly string[]): PostHead {
  if (!token.test(method) || !/^\/[!-~]*$/.test(path)) throw new TypeError('no request line');
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name = '', value = ''] = [headers[i], headers[i + 1]];
    if (!token.test(name) || ofConnection.test(name) || unsafe.test(value))
      throw new TypeError(`no header: ${name}`);
  }
  return { method, path, headers: [...headers] };
}
