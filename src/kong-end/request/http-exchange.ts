import type { ReceivedRequest } from '../../http/http1/index.ts';
import { RequestBody } from './body.ts';
import { textOfLatin1 } from './bytes.ts';
import { connectionOf } from './connection-header.ts';
import type { TlsInfo } from './exchange.ts';
import { Exchange } from './exchange.ts';
import { errorBody, errorType, failureMessage, failureType } from './errors.ts';
import { HeaderList } from './headers.ts';
import type { NodeState } from './node-state.ts';
import type { UriCaptures } from '../router/router.ts';
import { normalizePath, pathOf } from './uri.ts';
import { randomBytes } from 'node:crypto';

/** The answer as it is built up; plugins change status and headers until it is sent. */
export interface AnswerState {
  status: number;
  readonly headers: HeaderList;
  /** Who made it: the upstream, a plugin (`exit`) or Kong itself (`error`). */
  source: 'service' | 'exit' | 'error';
  /** The whole body, if it is not streamed. */
  body: Buffer | null;
  /** Number and words as the upstream sent them; null: nginx's own words. */
  statusLine: string | null;
  /** The length is the upstream's. So nginx writes it among its own headers, not at a plugin's place. */
  upstreamLength: boolean;
  /** nginx knows the upstream's length, and a plugin has cleared the line that says so. */
  unsaidLength: boolean;
  /** The answer goes to the client in chunks; known when its head is made. */
  chunked: boolean;
  /** Keys of headers that plugins have cleared. nginx does not write its own in their place. */
  readonly cleared: Set<string>;
}

/** What the upstream answered, before plugins changed it. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  /** The body when a response phase made Kong read it, else null. */
  body: Buffer | null;
}

export interface UpstreamRequest {
  method: string;
  /** Escaped path, without query. */
  path: string;
  query: string;
}

/** nginx's server_name in Kong: the host of a request without one. */
const serverName = 'kong';

/** One HTTP request and its answer. */
export class HttpExchange extends Exchange {
  readonly id = requestId();
  readonly request: ReceivedRequest;
  readonly body: RequestBody;
  readonly method: string;
  /** Request target as it came, without scheme and host: nginx's `$request_uri`. */
  readonly uri: string;
  readonly rawPath: string;
  readonly rawQuery: string;
  /** Path as Kong normalizes it: reserved characters stay encoded. */
  readonly path: string;
  /** Path as nginx decodes it: `$uri`. */
  readonly decodedPath: string;
  readonly scheme: 'http' | 'https';
  /** nginx's `$host`: without port, lower case, of an absolute target before the Host header's. */
  host: string;
  /** Headers as plugins see and change them. */
  readonly headers: HeaderList;
  /** Headers as the client sent them: the ones that Kong itself looks at, whatever rewrite changes. */
  readonly clientHeaders: HeaderList;
  captures: UriCaptures | null = null;
  /** X-Forwarded-* as the upstream gets them. */
  forwarded: {
    for: string;
    proto: string;
    host: string;
    port: number | string;
    path: string;
    prefix: string | null;
  };
  upstream: UpstreamRequest;
  /** The query that a plugin or Kong has read last as arguments; null: none yet. */
  readQuery: string | null = null;
  /** The query whose arguments are still shown after clear_query_arg; null: the one that goes to the upstream. */
  shownQuery: string | null = null;
  /** clear_query_arg has taken the last argument: the upstream gets `?` without anything behind it. */
  emptiedQuery = false;
  upstreamAnswer: UpstreamAnswer | null = null;
  answer: AnswerState = {
    status: 200,
    headers: new HeaderList(),
    source: 'error',
    body: null,
    statusLine: null,
    upstreamLength: false,
    unsaidLength: false,
    chunked: false,
    cleared: new Set(),
  };
  /** nginx's Connection header for the client. A plugin cannot change it, but only add a line of its own. */
  connection: 'keep-alive' | 'close' | 'upgrade';
  /** The connection was cut off before the answer was whole. */
  terminated = false;
  /** The Date that nginx adds, null if it adds none. No plugin sees it. */
  date: string | null = null;
  /** When the response phase began, null if there is none. From then on, Kong counts the bytes that a client takes. */
  responseStart: number | null = null;
  /** True once the request went to an upstream. */
  proxied = false;
  /** True when a response phase or a plugin made Kong read the whole answer. */
  buffered = false;
  /** Milliseconds: Kong's own time, waiting for the upstream, receiving its body, all of it. */
  readonly latencies = {
    kong: null as number | null,
    waiting: null as number | null,
    receive: 0,
    request: 0,
  };
  bytesSent = 0;

  /** Bytes of the request: line, headers and what was read of the body. */
  get requestLength(): number {
    return this.request.head.bytes + this.request.bodyBytes;
  }

  /** Makes the answer here instead of at the upstream. */
  finish(status: number, body: Buffer, source: 'exit' | 'error'): void {
    this.answer.status = status;
    this.answer.statusLine = null;
    this.answer.upstreamLength = false;
    this.answer.body = body;
    this.answer.source = source;
    this.aborted = { status, body };
  }

  /**
   * Makes Kong's own error answer.
   *
   * @param message Kong's own reason (kong.response.error). With it, the answer counts as an exit, and is JSON without
   * Accept. Without it, nginx has found the failure, and the answer has the form of `failureType`.
   */
  override abort(status: number, _body: Buffer | null = null, message: string | null = null): void {
    const accept = this.headers.get('accept');
    if (message === null)
      this.#fail(
        status,
        'error',
        failureType(accept, this.headers.get('content-type')),
        failureMessage(status),
      );
    else this.#fail(status, 'exit', errorType(accept), message);
  }

  /** The answer of Kong's error handler to an upstream's answer that broke off while it was read. */
  abortTruncated(status: number): void {
    const type = failureType(this.headers.get('accept'), this.headers.get('content-type'));
    this.#fail(status, 'exit', type, failureMessage(status));
  }

  #fail(status: number, source: 'exit' | 'error', type: string, message: string): void {
    const { body, contentType } = errorBody(message, this.id, type);
    this.answer.headers.set('Content-Type', contentType);
    this.answer.headers.set('Content-Length', String(body.length));
    // 494 is nginx's own number for a header that is too large.
    this.finish(status === 494 ? 400 : status, body, source);
  }

  constructor(
    node: NodeState,
    request: ReceivedRequest,
    worker: number,
    bufferBytes: number,
    tls: TlsInfo | null,
  ) {
    const { socket } = request;
    const from = { ip: plainIp(socket.remoteAddress), port: socket.remotePort ?? 0 };
    super(node, 'http', from, socket.localPort ?? 0, worker, tls);
    this.request = request;
    this.connection = connectionOf(request, true);
    this.body = new RequestBody(request, { bufferBytes, prefix: node.prefix });
    const { head } = request;
    this.method = head.method;
    this.headers = HeaderList.fromRaw(head.rawHeaders, textOfLatin1);
    this.clientHeaders = this.headers.clone();
    this.uri = textOfLatin1(head.target.uri);
    this.rawPath = pathOf(this.uri);
    this.rawQuery = textOfLatin1(head.target.args);
    this.path = normalizePath(this.rawPath);
    this.decodedPath = textOfLatin1(head.target.path);
    this.scheme = tls === null ? 'http' : 'https';
    this.host = head.host === null ? serverName : textOfLatin1(head.host);
    this.upstream = { method: this.method, path: this.rawPath, query: this.rawQuery };
    if (node.isTrusted(from.ip)) this.realIp = this.headers.get('x-real-ip') ?? from.ip;
    this.forwarded = {
      for: from.ip,
      proto: this.scheme,
      host: this.host,
      port: this.port,
      path: this.rawPath,
      prefix: null,
    };
  }
}

/** IPv4 addresses that a dual-stack socket shows as IPv6 in their plain form. */
export function plainIp(address: string | undefined): string {
  const ip = address ?? '127.0.0.1';
  return ip.startsWith('::ffff:') ? ip.slice(7) : ip;
}

/** Kong's request id: 32 hexadecimal digits. */
function requestId(): string {
  return randomBytes(16).toString('hex');
}
