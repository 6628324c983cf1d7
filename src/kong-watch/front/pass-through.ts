import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { messageOf } from '../../base/errors.ts';
import type { Callers, Framing } from '../../http/index.ts';
import {
  mayBeForeign,
  answerFraming,
  endToEnd,
  framingHeaders,
  framingOf,
  reasonPhrase,
  UnforwardableError,
} from '../../http/index.ts';
import { withoutUserInfo } from '../../base/user-info.ts';

const reads = new Set(['GET', 'HEAD', 'OPTIONS']);
const bodiless = new Set([...reads, 'DELETE']);
/** Characters that Node does not write into a header. */
const unwritable = /[^\t\x20-\x7e\x80-\xff]/;

export interface PassThroughOptions {
  /** Kong's Admin API. */
  readonly target: URL;
  /**
   * Send user and password in `target` for clients that send no `Authorization` of their own, unless a web page may be
   * behind them. null: for nobody.
   */
  readonly lendLoginTo: Callers | 'everybody' | null;
  /** Told of each write that Kong has answered with success. */
  readonly onWrite: (method: string, path: string) => void;
  /** How long an exchange may last without progress, in milliseconds; 60,000 by default. */
  readonly timeoutMs?: number;
}

/** The parts of a request that are sent to Kong. */
interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly framing: Framing;
}

/**
 * Whether a path is the event hooks' own: `/event-hooks...`, also below a workspace.
 * @param isCollection whether a first segment is one of Kong's own collections and so no workspace
 */
export function isEventHooksPath(
  url: string,
  isCollection: (segment: string) => boolean = () => false,
): boolean {
  const [, workspace] = /^(?:\/([^/?]+))?\/event-hooks(?:[/?]|$)/.exec(url) ?? [null, ''];
  return workspace === undefined || (workspace !== '' && !isCollection(workspace));
}

/**
 * Hands a request of the Admin API on to Kong and the answer back: method, path, headers with their spelling and order,
 * streaming bodies, status. The framing of both is set here, from what was parsed, never taken from a peer's headers. A
 * request that readers could understand in two ways is a 400; a Kong that cannot be reached is a 502.
 */
export class PassThrough {
  readonly #options: PassThroughOptions;
  readonly #agent: HttpAgent;
  readonly #prefix: string;
  readonly #authorization: string | null;

  constructor(options: PassThroughOptions) {
    this.#options = options;
    this.#agent =
      options.target.protocol === 'https:'
        ? new HttpsAgent({ keepAlive: true })
        : new HttpAgent({ keepAlive: true });
    this.#prefix = options.target.pathname.replace(/\/+$/, '');
    this.#authorization =
      options.lendLoginTo === null ? null : withoutUserInfo(options.target.href).authorization;
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    let outgoing: Outgoing;
    try {
      outgoing = this.#outgoing(request);
    } catch (error) {
      const status = error instanceof UnforwardableError ? error.status : 400;
      answer(response, status, messageOf(error));
      return;
    }
    this.#pass(request, response, outgoing);
  };

  close(): void {
    this.#agent.destroy();
  }

  #outgoing(request: IncomingMessage): Outgoing {
    const method = request.method ?? 'GET';
    const framing = framingOf(request.rawHeaders);
    const headers = endToEnd(request.rawHeaders);
    for (const text of headers) {
      if (unwritable.test(text))
        throw new UnforwardableError(400, 'A header holds a control character, which is not handed on.');
    }
    // HTTP/1.0 needs none, and HTTP/1.1, which Kong is spoken to in, does.
    if (request.headers.host === undefined) headers.push('Host', this.#options.target.host);
    if (this.#lends(method, request)) headers.push('Authorization', this.#authorization ?? '');
    return {
      method,
      path: `${this.#prefix}${request.url ?? '/'}`,
      headers: [...headers, ...framingHeaders(framing), ...saysNone(method, framing)],
      framing,
    };
  }

  #lends(method: string, request: IncomingMessage): boolean {
    const { lendLoginTo } = this.#options;
    if (this.#authorization === null || lendLoginTo === null) return false;
    if (request.headers.authorization !== undefined) return false;
    return lendLoginTo === 'everybody' || !mayBeForeign(method, request.headers, lendLoginTo);
  }

  #pass(request: IncomingMessage, response: ServerResponse, outgoing: Outgoing): void {
    const { target, timeoutMs = 60_000, onWrite } = this.#options;
    const { method, path, headers, framing } = outgoing;
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const upstream = send({
      protocol: target.protocol,
      hostname: target.hostname.replace(/^\[|\]$/g, ''),
      port: target.port,
      method,
      path,
      headers: [...headers],
      agent: this.#agent,
    });
    const progress = watched(upstream, timeoutMs);
    request.on('error', (error) => {
      answer(response, 400, `The body is not whole: ${messageOf(error)}`);
      upstream.destroy();
    });
    upstream.on('error', (error) => {
      request.unpipe(upstream);
      if (request.errored !== null) return;
      if (
        this.#repeatable(outgoing, error, upstream.reusedSocket) &&
        !response.headersSent &&
        !response.destroyed
      ) {
        this.#pass(request, response, outgoing);
        return;
      }
      this.#unreachable(response, error);
    });
    upstream.on('response', (given) => {
      progress();
      this.#answer(given, response, method);
      given.on('data', progress);
      const written = !reads.has(method) && (given.statusCode ?? 500) < 300;
      if (written) response.on('finish', () => onWrite(method, request.url ?? '/'));
    });
    upstream.on('upgrade', (_given, socket) => {
      socket.destroy();
      this.#unreachable(response, new Error('it changes the protocol, which nobody asked for'));
    });
    response.on('close', () => {
      if (!response.writableFinished) upstream.destroy();
    });
    if (framing.kind === 'none') upstream.end();
    else {
      request.pipe(upstream);
      request.on('data', progress);
    }
  }

  /** Whether the request may go again: Kong has just closed an idle connection, and nothing can be done twice. */
  #repeatable({ method, framing }: Outgoing, error: Error, reused: boolean): boolean {
    const closed = ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');
    return closed && reused && reads.has(method) && framing.kind === 'none';
  }

  #answer(given: IncomingMessage, response: ServerResponse, method: string): void {
    const status = given.statusCode ?? 502;
    try {
      const framing = answerFraming(method, status, framingOf(given.rawHeaders));
      const headers = [...endToEnd(given.rawHeaders), ...framingHeaders(framing)];
      response.writeHead(status, reasonPhrase(given.statusMessage), headers);
    } catch (error) {
      given.destroy();
      this.#unreachable(response, error);
      return;
    }
    given.pipe(response);
    // An answer that breaks off must not look whole.
    given.on('error', () => response.destroy());
    given.on('aborted', () => response.destroy());
  }

  #unreachable(response: ServerResponse, error: unknown): void {
    const where = this.#options.target.origin;
    answer(response, 502, `Kong's Admin API at ${where} cannot be reached: ${messageOf(error)}`);
  }
}

/** For methods that usually have a body, Node would send an empty one in chunks. */
const saysNone = (method: string, { kind }: Framing): readonly string[] =>
  kind === 'none' && !bodiless.has(method) ? ['Content-Length', '0'] : [];

/**
 * Ends an exchange that makes no progress. Bytes alone are not progress, because informational answers, empty lines and
 * zeros before the size of a chunk can come for ever.
 * @returns is to be called whenever a part of a body, or the answer's head, has come
 */
function watched(upstream: ClientRequest, timeoutMs: number): () => void {
  const timer = setTimeout(() => {
    upstream.destroy(new Error(`no answer within ${String(timeoutMs)} ms`));
  }, timeoutMs);
  upstream.on('close', () => clearTimeout(timer));
  return () => void timer.refresh();
}

/** Ends a request with a message of our own, and ends its connection. The rest of the body is not read. */
function answer(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.shouldKeepAlive = false;
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify({ message }));
}
