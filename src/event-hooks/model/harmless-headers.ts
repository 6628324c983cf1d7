/** Headers whose values, by definition, are not credentials. Every other value may be one. */
const harmless = new Set(
  // Of requests and answers.
  (
    'cache-control connection content-disposition content-encoding content-language content-length content-type date ' +
    'keep-alive pragma te trailer transfer-encoding upgrade vary via warning ' +
    // Of requests.
    'accept accept-charset accept-encoding accept-language dnt expect from max-forwards origin priority range ' +
    'user-agent webhook-id webhook-timestamp ' +
    // Of answers.
    'accept-ranges age allow alt-svc content-range content-security-policy etag expires last-modified link ' +
    'permissions-policy proxy-status referrer-policy retry-after server server-timing strict-transport-security ' +
    'x-content-type-options x-correlation-id x-frame-options x-kong-proxy-latency x-kong-request-id ' +
    'x-kong-response-latency x-kong-upstream-latency x-powered-by x-request-id x-response-time'
  ).split(' '),
);
const families = /^(?:access-control-|ratelimit|x-ratelimit-)/;

/** Whether a header's value may be shown whatever it is. */
export function isHarmlessHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return harmless.has(lower) || families.test(lower);
}

/** The headers as they may be shown. */
export function maskHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isHarmlessHeader(name) ? value : '***']),
  );
}
