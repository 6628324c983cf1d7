/** Numbers, times and spans as the console writes them. All times are milliseconds, whatever unit the API has. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compactly = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const count = (n: number): string => whole.format(n);
/** At most five characters. */
export const compact = (n: number): string => (n < 10_000 ? whole.format(n) : compactly.format(n));
export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;

/** A latency: `0.4 ms`, `12 ms`, `1.25 s`. */
export function latency(ms: number | null): string {
  if (ms === null) return '–';
  if (ms === 0) return '0 ms';
  if (ms < 1) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${String(Math.round(ms))} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

const steps: readonly [ms: number, name: string][] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
];

/** A span in its largest unit: `3 d`, `12 s`. */
export function span(ms: number): string {
  for (const [size, name] of steps) if (ms >= size) return `${String(Math.floor(ms / size))} ${name}`;
  return 'less than 1 s';
}

/** How long ago, or in how long. */
export function relative(at: number, now: number): string {
  const away = at - now;
  if (Math.abs(away) < 1000) return 'now';
  return away > 0 ? `in ${span(away)}` : `${span(-away)} ago`;
}

const clock = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
/** Whether a calendar holds it: the times of the API are numbers, and those of an address any text. */
export const isMoment = (at: number): boolean => !Number.isNaN(new Date(at).getTime());
/** The reader's own time, to the second. */
export const moment = (at: number): string => (isMoment(at) ? clock.format(at).replace(',', '') : '–');
export const timeOfDay = (at: number): string => clock.format(at).slice(-8);

export function bytes(n: number): string {
  if (n < 1024) return `${String(n)} B`;
  if (n < 1024 * 1024) return `${(n / 1024).toFixed(1)} KiB`;
  if (n < 1024 ** 3) return `${(n / 1024 ** 2).toFixed(1)} MiB`;
  return `${(n / 1024 ** 3).toFixed(1)} GiB`;
}

/** The beginning of an id, enough to tell it from its neighbours. */
export const shortId = (id: string): string => (id.length > 12 ? `${id.slice(0, 8)}…` : id);
