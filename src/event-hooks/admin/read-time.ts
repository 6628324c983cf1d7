import { HookInvalidError } from '../model/errors.ts';

/**
 * Seconds since the epoch or an ISO 8601 time, as milliseconds; null where there is none.
 * @param path the field that errors name
 * @throws HookInvalidError
 */
export function readTime(value: unknown, path: string): number | null {
  if (value === undefined || value === null || value === '') return null;
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value : '';
  // Date.parse takes nearly anything, "-5" as a month of 2001: a replay of everything.
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : NaN;
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : time;
  if (Number.isNaN(ms))
    throw new HookInvalidError([{ path, text: 'expected seconds since the epoch or an ISO 8601 time' }]);
  return ms;
}
