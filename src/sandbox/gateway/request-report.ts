import type { HttpExchange, PhaseReport } from '../../kong-end/index.ts';

/** What became of a request, and what each plugin of a plugin server had to do with it. Times in milliseconds. */
export interface RequestReport {
  readonly method: string;
  /** The target as it came, with its query. */
  readonly target: string;
  readonly status: number;
  /** Who made the answer: the service, a plugin (`exit`), or Kong itself (`error`). */
  readonly source: 'service' | 'exit' | 'error';
  /** From its first byte to the end of its answer. */
  readonly ms: number;
  /** Waiting for the service; null if it was not asked. */
  readonly upstreamMs: number | null;
  /** Null if no route was found. */
  readonly route: { readonly name: string | null } | null;
  readonly phases: readonly PhaseReport[];
}

export function requestReport(exchange: HttpExchange, phases: readonly PhaseReport[]): RequestReport {
  const { method, uri, answer, latencies, route, proxied } = exchange;
  return {
    method,
    target: uri,
    status: answer.status,
    source: answer.source,
    ms: latencies.request,
    upstreamMs: proxied ? latencies.waiting : null,
    route: route === null ? null : { name: route.name ?? null },
    phases,
  };
}
