import type { ExitBody, Headers, HeadersInput, HeaderValue } from './values.ts';

/** `kong.response`: the response to the client. */
export interface ResponseApi {
  getStatus(): Promise<number>;
  /**
   * The first value of a header. Names match in any case, `_` matches `-`.
   * @returns null when the header is absent or empty
   */
  getHeader(name: string): Promise<string | null>;
  /**
   * All headers by lower-case name.
   * @param max how many Kong looks at, 1 to 1000, default 100
   */
  getHeaders(max?: number): Promise<Headers>;
  /** Who made the response: the upstream, a plugin (exit) or Kong itself. */
  getSource(): Promise<'service' | 'exit' | 'error'>;
  /** @param status 100 to 599 */
  setStatus(status: number): Promise<void>;
  /** Replaces earlier values. An array makes several lines. */
  setHeader(name: string, value: HeaderValue): Promise<void>;
  /** Keeps earlier values. */
  addHeader(name: string, value: HeaderValue): Promise<void>;
  clearHeader(name: string): Promise<void>;
  setHeaders(headers: HeadersInput): Promise<void>;
  /** Never callable from an external plugin; use kong.service.response.getRawBody in the response phase. */
  getRawBody(): Promise<Buffer>;
  /** Never callable from an external plugin; use exit in the response phase. */
  setRawBody(body: string | Uint8Array): Promise<void>;
  /**
   * Ends the request with this response. Nothing of the handler runs after it but `finally` blocks.
   * @param status 100 to 599; in preread 200, 400, 403, 500, 502 or 503
   * @param body text or bytes as they stand; anything else is sent as JSON with that Content-Type
   */
  exit(status: number, body?: ExitBody | null, headers?: HeadersInput | null): Promise<never>;
  /**
   * Ends the request with Kong's own error body, in the format that the Accept header asks for.
   * @param status 400 to 599
   * @param message instead of Kong's text for the status; an object is written as JSON
   */
  error(
    status: number,
    message?: string | Readonly<Record<string, unknown>> | readonly unknown[] | null,
    headers?: HeadersInput | null,
  ): Promise<never>;
}
