/** Statuses that another attempt can change; all others below 500 are the request's own fault. */
const worthRetrying = new Set([408, 425, 429]);

export function isWorthRetrying(status: number): boolean {
  return status >= 500 || worthRetrying.has(status);
}

/**
 * Milliseconds that a Retry-After header asks to wait, null when absent or not understood.
 *
 * @param wall milliseconds since 1970, for dates
 */
export function retryAfterOf(header: string | string[] | undefined, wall: number): number | null {
  const text = (Array.isArray(header) ? header[0] : header)?.trim();
  if (text === undefined) return null;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // Date.parse takes nearly anything, "-5" as a month; what names no zone it would take for local time.
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return null;
  const date = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(date) ? null : Math.max(0, date - wall);
}
