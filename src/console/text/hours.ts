/** What is drawn of one hour; the API leaves hours without an attempt out. */
export interface HourBar {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly delivered: number;
  readonly failed: number;
  /** Milliseconds; null where there was no attempt. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  /** false: nothing was counted then, so the zeros mean nothing. */
  readonly isKnown: boolean;
}

interface KnownHour {
  readonly at: number;
  readonly delivered: number;
  readonly failed: number;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
}

interface Hours {
  /** Seconds since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly hour_seconds: number;
  /** What was attempted before was not counted. */
  readonly counted_since: number | null;
}

/** Every hour from the first one to the last, those without an attempt as zeros. */
export function fillHours(
  { from, to, hour_seconds: step, counted_since: since }: Hours,
  known: readonly KnownHour[],
): HourBar[] {
  const byHour = new Map(known.map((hour) => [Math.floor(hour.at / step), hour]));
  const first = Math.floor(from / step);
  const last = Math.max(first, Math.ceil(to / step) - 1);
  return Array.from({ length: Math.min(last - first + 1, 1000) }, (_, index) => {
    const hour = byHour.get(first + index);
    return {
      at: (first + index) * step * 1000,
      delivered: hour?.delivered ?? 0,
      failed: hour?.failed ?? 0,
      p50Ms: hour?.p50_ms ?? null,
      p95Ms: hour?.p95_ms ?? null,
      isKnown: hour !== undefined || since === null || (first + index + 1) * step > since,
    };
  });
}

/** A round number that is not below the largest value, for the top of an axis. */
export function roundTop(largest: number): number {
  if (!(largest > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(largest));
  const step = [1, 2, 2.5, 5, 10].find((one) => one * power >= largest) ?? 10;
  return step * power;
}
