import type { Notice } from '../dispatcher/feed.ts';
import type { WireNotice } from './service.ts';

/** A notice in the form of the proto file, where absent is zero or empty. */
export function toWireNotice(notice: Notice): WireNotice {
  if (notice.type === 'event') {
    const { id, source, event, data, at, hooks } = notice;
    return { received: { event: { id, source, event, data, at }, hooks } };
  }
  const { type: _type, ...attempt } = notice;
  return { attempt: { ...attempt, status: attempt.status ?? 0, error: attempt.error ?? '' } };
}
