import type { PastEventsAnswer } from '../../event-hooks/admin/answers.ts';
import { writeJson } from '../text/exact-json.ts';
import { call, given } from './client.ts';

/** The last stored events of a source, newest first. */
export const recentEvents = (
  source: string,
  event: string | null,
  signal?: AbortSignal,
): Promise<PastEventsAnswer> =>
  call('GET', '/event-hooks/events', { query: { source, event, size: 20 }, ...given(signal) });

/** Fields to try a hook with: those of its last event, or an empty object. */
export async function sampleOf(source: string, event: string | null): Promise<string> {
  const { data } = await recentEvents(source, event).catch(() => ({ data: [] }));
  const payload = data[0]?.payload ?? null;
  if (payload === null) return '{}';
  const { source: _source, event: _event, ...fields } = payload;
  return writeJson(fields);
}
