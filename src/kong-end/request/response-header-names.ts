/** Headers of an answer that nginx keeps in a field of its own (ngx_http_lua_set_handlers): of several values the last one stays. */
const single = new Set([
  'server',
  'date',
  'content-encoding',
  'location',
  'refresh',
  'last-modified',
  'content-range',
  'accept-ranges',
  'www-authenticate',
  'expires',
  'e-tag',
  'etag',
  'content-length',
  'content-type',
]);

/** The name under which ngx.header sets it: underscores are dashes there. */
export function responseHeaderName(name: string): string {
  return name.replaceAll('_', '-');
}

/** The values that ngx.header keeps of those that it is given. */
export function keptValues(name: string, values: readonly string[]): readonly string[] {
  return single.has(responseHeaderName(name).toLowerCase()) ? values.slice(-1) : values;
}

/** Whether ngx.header takes them; Content-Length has to be a number. */
export function areHeaderValues(name: string, values: readonly string[]): boolean {
  return responseHeaderName(name).toLowerCase() !== 'content-length' || values.every(isLength);
}

const greatest = 2n ** 63n - 1n;

/** Whether nginx reads it as a length (ngx_atoof). */
export function isLength(value: string): boolean {
  return /^\d+$/.test(value) && (value.length < 19 || BigInt(value) <= greatest);
}
