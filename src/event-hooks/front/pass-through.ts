import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { messageOf } from '../../errors.ts';
import { withoutUserInfo } from '../../kong-admin/user-info.ts';

/** Headers that belong to one connection and not to the message (RFC 9110, section 7.6.1). */
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade']);
const reads = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface PassThroughOptions {
  /** Kong's Admin API. */
  readonly target: URL;
  /** Send user and password in `target` for clients that send no `Authorization` of their own. */
  readonly lendLogin: boolean;
  /** Told of each write that Kong has answered with success. */
  readonly onWrite: (method: string, path: string) => void;
  /** How long Kong may be silent, in milliseconds; 60,000 by default. */
  readonly timeoutMs?: number;
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
 * Hands a request of the Admin API on to Kong and the answer back, both as they come: method, path, headers with their
 * spelling and order, streaming bodies, status. A Kong that cannot be reached is a 502 with a JSON message.
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
    this.#authorization = options.lendLogin ? withoutUserInfo(options.target.href).authorization : null;
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    this.#pass(request, response, reads.has(request.method ?? 'GET') && !hasBody(request));
  };

  /** @param repeatable whether it may be asked again where Kong has closed an idle connection just now */
  #pass(request: IncomingMessage, response: ServerResponse, repeatable: boolean): void {
    const { target, timeoutMs = 60_000, onWrite } = this.#options;
    const method = request.method ?? 'GET';
    const path = request.url ?? '/';
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const upstream = send({
      protocol: target.protocol,
      hostname: target.hostname.replace(/^\[|\]$/g, ''),
      port: target.port,
      method,
      path: `${this.#prefix}${path}`,
      headers: this.#headers(request),
      agent: this.#agent,
      // Kong's own words have to reach the client, also when it takes long to say them.
      timeout: timeoutMs,
    });
    upstream.on('timeout', () => upstream.destroy(new Error(`no answer within ${String(timeoutMs)} ms`)));
    upstream.on('error', (error) => {
      request.unpipe(upstream);
      const closed = ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');
      if (repeatable && closed && upstream.reusedSocket && !response.headersSent && !response.destroyed) {
        this.#pass(request, response, repeatable);
        return;
      }
      this.#unreachable(response, error);
    });
    upstream.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders));
      answer.pipe(response);
      // An answer that breaks off must not look whole.
      answer.on('error', () => response.destroy());
      answer.on('aborted', () => response.destroy());
      const written = !reads.has(method) && (answer.statusCode ?? 500) < 300;
      if (written) response.on('finish', () => onWrite(method, path));
    });
    response.on('close', () => {
      if (!response.writableFinished) upstream.destroy();
    });
    if (repeatable) upstream.end();
    else request.pipe(upstream);
  }

  close(): void {
    this.#agent.destroy();
  }

  #headers(request: IncomingMessage): string[] {
    const headers = endToEnd(request.rawHeaders);
    return this.#authorization === null || request.headers.authorization !== undefined
      ? headers
      : [...headers, 'Authorization', this.#authorization];
  }

  #unreachable(response: ServerResponse, error: unknown): void {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const message = `Kong's Admin API at ${this.#options.target.origin} cannot be reached: ${messageOf(error)}`;
    response.writeHead(502, { 'content-type': 'application/json; charset=utf-8', connection: 'close' });
    response.end(JSON.stringify({ message }));
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The flat list of names and values without what belongs to the connection. */
function endToEnd(raw: readonly string[]): string[] {
  const named = new Set(hopByHop);
  for (let at = 0; at < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() !== 'connection') continue;
    for (const name of (raw[at + 1] ?? '').split(',')) named.add(name.trim().toLowerCase());
  }
  const kept: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? '';
    if (!named.has(name.toLowerCase())) kept.push(name, raw[at + 1] ?? '');
  }
  return kept;
}
