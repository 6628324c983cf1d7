// Written by `npm run docs` from the rows of the catalogue; change those.
import type { Headers, ParsedBody, Query, UriCaptures } from './values.ts';

/** `kong.request`: the request as the client sent it. */
export interface RequestApi {
  /** The scheme of the request to Kong: 'http' or 'https'. */
  getScheme(): Promise<string>;
  /** The host of the request, without its port. */
  getHost(): Promise<string>;
  /** The port of Kong that the client connected to. */
  getPort(): Promise<number>;
  /** The scheme, from X-Forwarded-Proto where the peer is trusted. */
  getForwardedScheme(): Promise<string>;
  /** The host, from X-Forwarded-Host where the peer is trusted. */
  getForwardedHost(): Promise<string>;
  /** The port, from X-Forwarded-Port where the peer is trusted. */
  getForwardedPort(): Promise<number>;
  /** The path, from X-Forwarded-Path where the peer is trusted. */
  getForwardedPath(): Promise<string>;
  /** The prefix of the path that Kong strips, from X-Forwarded-Prefix where the peer is trusted. */
  getForwardedPrefix(): Promise<string | null>;
  /** The HTTP version: 1, 1.1, 2, ... */
  getHttpVersion(): Promise<number>;
  /** The HTTP method, in upper case. */
  getMethod(): Promise<string>;
  /** The path, normalized and decoded, without the query. */
  getPath(): Promise<string>;
  /** The path as the client sent it, without the query. */
  getRawPath(): Promise<string>;
  /** The path and query as the client sent them. */
  getPathWithQuery(): Promise<string>;
  /** The query without its question mark, not decoded; empty when there is none. */
  getRawQuery(): Promise<string>;
  /**
   * The first value of a query argument, decoded; true for one without a value, null for one that is not there.
   * @param name a string
   */
  getQueryArg(name: string): Promise<string | true | null>;
  /**
   * All query arguments, decoded. At most `max` (1 to 1000, default 100).
   * @param max an integer from 1 to 1000
   */
  getQuery(max?: number): Promise<Query>;
  /**
   * The first value of a request header, null when it is absent or empty. Names match in any case, `_` matches `-`.
   * @param name a header name that is not empty
   */
  getHeader(name: string): Promise<string | null>;
  /**
   * All request headers by lower-case name. At most `max` (1 to 1000, default 100).
   * @param max an integer from 1 to 1000
   */
  getHeaders(max?: number): Promise<Headers>;
  /**
   * The request body. A body that Kong buffered to disk is read from the file, up to `maxFileSize` bytes (default:
   * no limit).
   * Kong buffers to disk what is larger than `client_body_buffer_size`, 8 KiB by default. Over MsgPack:1 Kong reads
   * the file itself (3.8 and later) and answers a request whose file is larger with a 500; over ProtoBuf:1 this
   * server reads it, which must share files and user with Kong.
   * Rejects with PDK_BODY_UNAVAILABLE when the file cannot be read or is too large.
   * @param maxFileSize an integer of bytes, 0 or more
   */
  getRawBody(maxFileSize?: number): Promise<Buffer>;
  /**
   * The request body, parsed by its content type (JSON, urlencoded form, multipart form); null for other types.
   * `mimetype` stands in place of the request's own Content-Type; `maxArgs` is how many fields of a form are looked
   * at (default 100).
   * Rejects with PDK_BODY_MALFORMED when the body is not what its content type says, and as getRawBody does.
   * @param mimetype a string
   * @param maxArgs an integer from 1 to 1000
   * @param maxFileSize an integer of bytes, 0 or more
   */
  getBody(mimetype?: string, maxArgs?: number, maxFileSize?: number): Promise<ParsedBody | null>;
  /** When Kong began to process the request, in milliseconds since the epoch. */
  getStartTime(): Promise<number>;
  /**
   * What the regular expression of the matched path captured.
   * With `router_flavor = traditional`, Kong cannot send over ProtoBuf:1 that a group of the path took no part: the
   * client gets a 500. Use MsgPack:1 there, or groups that always match.
   * In the log phase, where that would leave the request behind for handlers of later ones, it is refused over
   * ProtoBuf:1: read it earlier and pass it on with kong.ctx.shared.set().
   */
  getUriCaptures(): Promise<UriCaptures>;
}
