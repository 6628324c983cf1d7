import type { Phase } from '../../pdk/names/index.ts';

/**
 * Phases in which a failing handler gives the client a 500, or ends its connection; elsewhere there is nobody to answer. In
 * `certificate` Kong refuses the exit (measured on Kong 3.9.3) and raises, which fails the TLS handshake.
 */
const answerable: ReadonlySet<Phase> = new Set(['certificate', 'rewrite', 'access', 'response', 'preread']);
/** Those that have no HTTP answer. */
const bodiless: ReadonlySet<Phase> = new Set(['certificate', 'preread']);

const failure = [
  500,
  JSON.stringify({ message: 'An unexpected error occurred' }),
  { 'Content-Type': 'application/json; charset=utf-8' },
] as const;

/** The arguments of kong.response.exit with which an event that has failed ends; null where there is nobody to answer. */
export function failureExit(phase: Phase): readonly unknown[] | null {
  if (!answerable.has(phase)) return null;
  return bodiless.has(phase) ? [500] : failure;
}
