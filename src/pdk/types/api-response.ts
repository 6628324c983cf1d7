// Written by `npm run docs` from the rows of the catalogue; change those.
import type { ExitBody, HeaderValue, Headers, HeadersInput } from './values.ts';

/** `kong.response`: the response to the client. */
export interface ResponseApi {
  /** The status of the response to the client. */
  getStatus(): Promise<number>;
  /**
   * The first value of a response header, null when it is absent or empty. Names match in any case, `_` matches `-`.
   * @param name a header name that is not empty
   */
  getHeader(name: string): Promise<string | null>;
  /**
   * All response headers by lower-case name. At most `max` (1 to 1000, default 100).
   * @param max an integer from 1 to 1000
   */
  getHeaders(max?: number): Promise<Headers>;
  /** Who made the response: 'service' (upstream), 'exit' (a plugin) or 'error' (Kong). */
  getSource(): Promise<'service' | 'exit' | 'error'>;
  /**
   * Sets the status of the response (100 to 599).
   * @param status an integer from 100 to 599
   */
  setStatus(status: number): Promise<void>;
  /**
   * Sets a response header, replacing earlier values.
   * @param name a header name that is not empty
   * @param value a string, a number, a boolean or an array of strings
   */
  setHeader(name: string, value: HeaderValue): Promise<void>;
  /**
   * Adds a value to a response header, keeping earlier ones.
   * @param name a header name that is not empty
   * @param value a string, a number, a boolean or an array of strings
   */
  addHeader(name: string, value: HeaderValue): Promise<void>;
  /**
   * Removes a response header.
   * @param name a header name that is not empty
   */
  clearHeader(name: string): Promise<void>;
  /**
   * Sets several response headers at once.
   * @param headers an object whose values are strings, numbers, booleans or arrays of strings
   */
  setHeaders(headers: HeadersInput): Promise<void>;
  /** Works in body_filter only, a phase that Kong does not run on external plugins. */
  getRawBody(): Promise<Buffer>;
  /**
   * Works in body_filter only, a phase that Kong does not run on external plugins.
   * @param body a string or bytes
   */
  setRawBody(body: string | Uint8Array): Promise<void>;
  /**
   * Ends the request with this response. Nothing of the handler runs after it. An object as body is sent as JSON. In
   * preread: 200, 400, 403, 500, 502 and 503 only.
   * `finally` blocks still run.
   * @param status an integer from 100 to 599 (in preread 200, 400, 403, 500, 502 or 503)
   * @param body a string, bytes, an object or an array
   * @param headers an object whose values are strings, numbers, booleans or arrays of strings
   */
  exit(status: number, body?: ExitBody | null, headers?: HeadersInput | null): Promise<never>;
  /**
   * Ends the request with Kong's own error body, in the format that the Accept header asks for (JSON, HTML, XML,
   * text). Status 400 to 599.
   * The message stands in place of Kong's own text for the status.
   * @param status an integer from 400 to 599
   * @param message a string, an object or an array
   * @param headers an object whose values are strings, numbers, booleans or arrays of strings
   */
  error(
    status: number,
    message?: string | Readonly<Record<string, unknown>> | readonly unknown[] | null,
    headers?: HeadersInput | null,
  ): Promise<never>;
}
