/** What is drawn of a plugin: the API leaves times without an event out. */
interface Point {
  /** The end of its time, in seconds since the epoch. */
  readonly at: number;
  readonly events_per_second: number;
  readonly events: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly p99_ms: number | null;
  readonly calls_per_event: number | null;
}

/** The last hour without a hole: no event is zero events a second, and no latency. */
export function fillPoints(known: readonly Point[], every: number, now: number): Point[] {
  const nothing = { events_per_second: 0, events: 0, errors: 0, timeouts: 0, calls_per_event: null };
  const step = Math.max(1, every);
  const byTime = new Map(known.map((point) => [Math.round(point.at / step), point]));
  const last = Math.max(Math.floor(now / step), ...byTime.keys());
  const length = Math.min(720, Math.ceil(3600 / step));
  return Array.from({ length }, (_, index) => {
    const slot = last - length + 1 + index;
    return byTime.get(slot) ?? { at: slot * step, ...nothing, p50_ms: null, p95_ms: null, p99_ms: null };
  });
}
