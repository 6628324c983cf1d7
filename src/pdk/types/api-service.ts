import type { Headers, HeadersInput, HeaderValue, HttpMethod, ParsedBody, QueryInput } from './values.ts';

/** `kong.service`: where the request goes. */
export interface ServiceApi {
  /**
   * Sends the request to an upstream by its name; false when there is none of that name. Where the service's host is an IP
   * address, Kong does not look the name up (3.9.3): true, and the client gets a 500.
   */
  setUpstream(host: string): Promise<boolean>;
  /**
   * Where the service's host is an IP address, `host` has to be one, too: otherwise the client gets a 500 (Kong 3.9.3).
   * @param port 0 to 65535
   */
  setTarget(host: string, port: number): Promise<void>;
  /** @param retries 0 to 32767 */
  setRetries(retries: number): Promise<void>;
  /** All in milliseconds, 1 to 2147483646. */
  setTimeouts(connect: number, write: number, read: number): Promise<void>;
  /** Whether Kong verifies the upstream's certificate; false when Kong could not set it. */
  setTlsVerify(on: boolean): Promise<boolean>;
  /** How long the upstream's certificate chain may be; false when Kong could not set it. */
  setTlsVerifyDepth(depth: number): Promise<boolean>;
}

/** `kong.service.request`: the request that the upstream gets. */
export interface ServiceRequestApi {
  /** Buffers the upstream response, so that later phases can read its body. */
  enableBuffering(): Promise<void>;
  setScheme(scheme: 'http' | 'https'): Promise<void>;
  /** @param path starts with `/`; Kong escapes what needs it */
  setPath(path: string): Promise<void>;
  /** @param query as it stands, without the question mark */
  setRawQuery(query: string): Promise<void>;
  setMethod(method: HttpMethod): Promise<void>;
  /** Encoded by Kong, names in alphabetical order. */
  setQuery(args: QueryInput): Promise<void>;
  /** Removes all values of one argument. */
  clearQueryArg(name: string): Promise<void>;
  /** Replaces earlier values. An array makes several lines. */
  setHeader(name: string, value: HeaderValue): Promise<void>;
  /** Keeps earlier values. */
  addHeader(name: string, value: string | number | boolean): Promise<void>;
  clearHeader(name: string): Promise<void>;
  setHeaders(headers: HeadersInput): Promise<void>;
  setRawBody(body: string | Uint8Array): Promise<void>;
  /**
   * Encodes a body and sets it with its Content-Type: JSON, `application/x-www-form-urlencoded`, `multipart/form-data`.
   * @param mimetype default: the request's own Content-Type
   * @returns false when there is neither
   */
  setBody(args: Readonly<Record<string, unknown>> | readonly unknown[], mimetype?: string): Promise<boolean>;
  /** Speaks plain text to the upstream of this connection. */
  disableTls(): Promise<void>;
}

/** `kong.service.response`: what the upstream answered. */
export interface ServiceResponseApi {
  /** null when the request was not proxied. In log it is the last `upstream_status` of the record. */
  getStatus(): Promise<number | null>;
  /**
   * Empty in the phases that an external plugin sees (Kong 3.9.3 buffers there): use getHeader, or
   * kong.response.getHeaders.
   */
  getHeaders(max?: number): Promise<Headers>;
  /**
   * The first value of a header, null when it is absent or empty. Over ProtoBuf:1 `content-length` is that of
   * kong.response.getHeader.
   */
  getHeader(name: string): Promise<string | null>;
  /** The body. Needs buffered proxying, which a response handler switches on. */
  getRawBody(): Promise<Buffer>;
  /** The body parsed by its content type, as kong.request.getBody does. */
  getBody(mimetype?: string, maxArgs?: number): Promise<ParsedBody | null>;
}
