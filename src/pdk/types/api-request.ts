import type { Headers, ParsedBody, Query, UriCaptures } from './values.ts';

/** `kong.request`: the request as the client sent it. */
export interface RequestApi {
  /** `'http'` or `'https'`. */
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
  /** The stripped prefix of the path, from X-Forwarded-Prefix where the peer is trusted; null when there is none. */
  getForwardedPrefix(): Promise<string | null>;
  /** 1, 1.1, 2, ... */
  getHttpVersion(): Promise<number>;
  /** In upper case. */
  getMethod(): Promise<string>;
  /** Normalized and decoded, without the query. */
  getPath(): Promise<string>;
  /** As the client sent it, without the query. */
  getRawPath(): Promise<string>;
  /** Path and query as the client sent them. */
  getPathWithQuery(): Promise<string>;
  /** Not decoded, without the question mark; `''` when there is none. */
  getRawQuery(): Promise<string>;
  /**
   * The first value of a query argument, decoded.
   * @returns `true` for an argument without a value (`?flag`), null for one that is not there
   */
  getQueryArg(name: string): Promise<string | true | null>;
  /**
   * All query arguments, decoded.
   * @param max how many Kong looks at, 1 to 1000, default 100
   */
  getQuery(max?: number): Promise<Query>;
  /**
   * The first value of a header. Names match in any case, `_` matches `-`.
   * @returns null when the header is absent or empty (ProtoBuf:1 cannot tell; getHeaders can)
   */
  getHeader(name: string): Promise<string | null>;
  /**
   * All headers by lower-case name.
   * @param max how many Kong looks at, 1 to 1000, default 100
   */
  getHeaders(max?: number): Promise<Headers>;
  /**
   * The body. One that Kong buffered to disk (above `client_body_buffer_size`, 8 KiB by default) is read from the file:
   * over MsgPack:1 by Kong (3.8 and later), over ProtoBuf:1 by this server, which must share files and user with Kong.
   * @param maxFileSize bytes; a larger file is not read. Over MsgPack:1 Kong answers such a request with a 500.
   * @throws KongTsError PDK_BODY_UNAVAILABLE when the file cannot be read or is too large
   */
  getRawBody(maxFileSize?: number): Promise<Buffer>;
  /**
   * The body parsed by its content type: JSON, `application/x-www-form-urlencoded`, `multipart/form-data`.
   * @param mimetype instead of the request's own Content-Type
   * @param maxArgs fields of a form that are looked at, 1 to 1000, default 100
   * @param maxFileSize as for getRawBody
   * @returns null when there is no content type or it is none of the three
   * @throws KongTsError PDK_BODY_MALFORMED when the body is not what its content type says
   */
  getBody(mimetype?: string, maxArgs?: number, maxFileSize?: number): Promise<ParsedBody | null>;
  /** When Kong began to process the request, in milliseconds since the epoch. */
  getStartTime(): Promise<number>;
  /** What the regular expression of the matched path captured. */
  getUriCaptures(): Promise<UriCaptures>;
}
