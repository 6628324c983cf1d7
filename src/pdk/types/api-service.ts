// Written by `npm run docs` from the rows of the catalogue; change those.
import type { HeaderValue, Headers, HeadersInput, HttpMethod, ParsedBody, QueryInput } from './values.ts';

/** `kong.service`: where the request goes. */
export interface ServiceApi {
  /**
   * Sends the request to an upstream by its name. False when there is none of that name. Where the host of the
   * service is an IP address, Kong does not look the name up (3.9.3): the result is true, and the client gets a 500.
   * Give the service a name for a host.
   * @param host a string that is not empty
   */
  setUpstream(host: string): Promise<boolean>;
  /**
   * Sends the request to a host and port (0 to 65535). Where the host of the service is an IP address, the host
   * given here has to be one, too: Kong does not look a name up then (3.9.3), and the client gets a 500.
   * @param host a string that is not empty
   * @param port an integer from 0 to 65535
   */
  setTarget(host: string, port: number): Promise<void>;
  /**
   * Sets how often Kong retries the upstream (0 to 32767).
   * Kong 3.8 and later.
   * @param retries an integer from 0 to 32767
   */
  setRetries(retries: number): Promise<void>;
  /**
   * Sets the timeouts towards the upstream, in milliseconds (1 to 2147483646).
   * Kong 3.8 and later.
   * @param connect an integer from 1 to 2147483646 (milliseconds)
   * @param write an integer from 1 to 2147483646 (milliseconds)
   * @param read an integer from 1 to 2147483646 (milliseconds)
   */
  setTimeouts(connect: number, write: number, read: number): Promise<void>;
  /**
   * Whether Kong verifies the upstream's certificate. False when Kong could not set it.
   * @param on a boolean
   */
  setTlsVerify(on: boolean): Promise<boolean>;
  /**
   * How long the upstream's certificate chain may be. False when Kong could not set it.
   * @param depth an integer from 0 to 2147483647
   */
  setTlsVerifyDepth(depth: number): Promise<boolean>;
}

/** `kong.service.request`: the request that the upstream gets. */
export interface ServiceRequestApi {
  /** Buffers the upstream response, so that later phases can read its body. */
  enableBuffering(): Promise<void>;
  /**
   * The scheme towards the upstream: 'http' or 'https'.
   * @param scheme 'http' or 'https'
   */
  setScheme(scheme: 'http' | 'https'): Promise<void>;
  /**
   * The path towards the upstream, starting with `/`. Kong escapes what needs it.
   * @param path a string that starts with /
   */
  setPath(path: string): Promise<void>;
  /**
   * The query towards the upstream as it stands, without the question mark.
   * @param query a string
   */
  setRawQuery(query: string): Promise<void>;
  /**
   * The method towards the upstream, in upper case.
   * @param method one of GET, HEAD, PUT, POST, DELETE, OPTIONS, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK, PATCH, TRACE
   */
  setMethod(method: HttpMethod): Promise<void>;
  /**
   * The query towards the upstream, encoded by Kong; true makes an argument without a value.
   * Kong writes the names in alphabetical order.
   * @param args an object whose values are strings, numbers, booleans or arrays of them
   */
  setQuery(args: QueryInput): Promise<void>;
  /**
   * Removes all values of one query argument towards the upstream.
   * Kong 3.9 and later.
   * @param name a string
   */
  clearQueryArg(name: string): Promise<void>;
  /**
   * Sets a header towards the upstream, replacing earlier values.
   * @param name a header name that is not empty
   * @param value a string, a number, a boolean or an array of strings
   */
  setHeader(name: string, value: HeaderValue): Promise<void>;
  /**
   * Adds a value to a header towards the upstream, keeping earlier ones.
   * @param name a header name that is not empty
   * @param value a string, a number, a boolean or an array of strings
   */
  addHeader(name: string, value: string | number | boolean): Promise<void>;
  /**
   * Removes a header towards the upstream.
   * @param name a header name that is not empty
   */
  clearHeader(name: string): Promise<void>;
  /**
   * Sets several headers towards the upstream at once.
   * @param headers an object whose values are strings, numbers, booleans or arrays of strings
   */
  setHeaders(headers: HeadersInput): Promise<void>;
  /**
   * The body towards the upstream, as it stands.
   * @param body a string or bytes
   */
  setRawBody(body: string | Uint8Array): Promise<void>;
  /**
   * Encodes a body by its content type (JSON, urlencoded form, multipart form) and sets it with the Content-Type
   * header. Without `mimetype` the request's own type is used; false when it has none.
   * @param args an object or an array
   * @param mimetype a string
   */
  setBody(args: Readonly<Record<string, unknown>> | readonly unknown[], mimetype?: string): Promise<boolean>;
  /** Speaks plain text to the upstream of this connection. */
  disableTls(): Promise<void>;
}

/** `kong.service.response`: what the upstream answered. */
export interface ServiceResponseApi {
  /** The status that the upstream answered with, null when the request was not proxied. */
  getStatus(): Promise<number | null>;
  /**
   * The headers that the upstream answered with. Empty in the phases that an external plugin sees (Kong 3.9.3
   * buffers there): use getHeader or kong.response.getHeaders.
   * @param max an integer from 1 to 1000
   */
  getHeaders(max?: number): Promise<Headers>;
  /**
   * The first value of a header of the upstream, null when it is absent or empty. Over ProtoBuf:1 `content-length`
   * is that of kong.response.getHeader: Kong has the upstream's as a number, which fails there.
   * @param name a header name that is not empty
   */
  getHeader(name: string): Promise<string | null>;
  /** The upstream's body. Needs buffered proxying, which a response handler switches on. */
  getRawBody(): Promise<Buffer>;
  /**
   * The upstream's body, parsed by its content type (JSON, urlencoded form, multipart form); null for other types.
   * @param mimetype a string
   * @param maxArgs an integer from 1 to 1000
   */
  getBody(mimetype?: string, maxArgs?: number): Promise<ParsedBody | null>;
}
