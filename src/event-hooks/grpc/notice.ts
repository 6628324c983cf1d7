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

/** What a notice takes while it waits: three bytes at most for a character of UTF-16, and what surrounds them. */
export function noticeBytes(notice: Notice): number {
  const own = notice.type === 'event' ? notice.data.length : (notice.error?.length ?? 0);
  return (own + notice.source.length + notice.event.length) * 3 + 300;
}
