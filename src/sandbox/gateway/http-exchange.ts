import type { IncomingMessage } from 'node:http';
import { RequestBody } from './body.ts';
import { textOfLatin1 } from './bytes.ts';
import { Exchange, type TlsInfo } from './exchange.ts';
import { errorBody, errorMessage, errorType } from './errors.ts';
import { HeaderList } from './headers.ts';
import { requestId } from './ids.ts';
import type { NodeState } from './node-state.ts';
import type { UriCaptures } from './router.ts';
import { normalizePath, pathOf, queryOf } from './uri.ts';

/** The answer as it is built up; plugins change status and headers until it is sent. */
export interface AnswerState {
  status: number;
  readonly headers: HeaderList;
  /** Who made it: the upstream, a plugin (`exit`) or Kong itself (`error`). */
  source: 'service' | 'exit' | 'error';
  /** Whole body where it is not streamed. */
  body: Buffer | null;
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

/** One HTTP request and its answer. */
export class HttpExchange extends Exchange {
  readonly id = requestId();
  readonly request: IncomingMessage;
  readonly body: RequestBody;
  readonly method: string;
  /** Request target as it came. */
  readonly uri: string;
  readonly rawPath: string;
  readonly rawQuery: string;
  /** Normalized path. */
  readonly path: string;
  readonly scheme: 'http' | 'https';
  /** Host without port, lower case. */
  readonly host: string;
  readonly headers: HeaderList;
  readonly headerBytes: number;
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
  upstreamAnswer: UpstreamAnswer | null = null;
  answer: AnswerState = {
    status: 200,
    headers: new HeaderList(),
    source: 'error',
    body: null,
  };
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
    const { method, url, httpVersion } = this.request;
    const line = (method ?? '').length + (url ?? '').length + httpVersion.length + 9;
    return line + this.headerBytes + 2 + this.body.received;
  }

  /** Makes the answer here instead of at the upstream. */
  finish(status: number, body: Buffer, source: 'exit' | 'error'): void {
    this.answer.status = status;
    this.answer.body = body;
    this.answer.source = source;
    this.aborted = { status, body };
  }

  /** Makes Kong's own error answer, in the form that the client accepts. */
  override abort(status: number, _body: Buffer | null = null, message = errorMessage(status)): void {
    const { body, contentType } = errorBody(message, this.id, errorType(this.headers.get('accept')));
    this.answer.headers.set('Content-Type', contentType);
    this.answer.headers.set('Content-Length', String(body.length));
    this.finish(status, body, 'error');
  }

  constructor(
    node: NodeState,
    request: IncomingMessage,
    worker: number,
    bufferBytes: number,
    tls: TlsInfo | null,
  ) {
    const { socket } = request;
    const from = { ip: plainIp(socket.remoteAddress), port: socket.remotePort ?? 0 };
    super(node, 'http', from, socket.localPort ?? 0, worker, tls);
    this.request = request;
    this.body = new RequestBody(request, { bufferBytes, prefix: node.prefix });
    this.method = request.method ?? 'GET';
    this.headers = HeaderList.fromRaw(request.rawHeaders, textOfLatin1);
    this.headerBytes = this.headers.byteLength;
    const target = originForm(textOfLatin1(request.url ?? '/'));
    this.uri = target.uri;
    this.rawPath = pathOf(target.uri);
    this.rawQuery = queryOf(target.uri);
    this.path = normalizePath(this.rawPath);
    this.scheme = tls === null ? 'http' : 'https';
    this.host = hostOf(target.host ?? this.headers.get('host') ?? '');
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

/** A request target may be a whole URL (`GET http://host/path`), or `*`. */
function originForm(target: string): { uri: string; host: string | null } {
  const absolute = /^https?:\/\/([^/?#]*)([^]*)$/i.exec(target);
  if (absolute !== null) {
    const rest = absolute[2] ?? '';
    return { uri: rest.startsWith('/') ? rest : `/${rest}`, host: absolute[1] ?? '' };
  }
  return { uri: target.startsWith('/') ? target : `/${target}`, host: null };
}

function hostOf(header: string): string {
  return header.replace(/:\d*$/, '').toLowerCase();
}
