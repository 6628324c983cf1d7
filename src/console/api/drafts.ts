import type { CheckedAnswer, MatchedAnswer, RenderedAnswer } from '../../event-hooks/admin/answers.ts';
import { call, given } from './client.ts';
import type { Hook, TestResult } from './types.ts';

/** What the API says of hooks that are not stored. */
export type Checked = CheckedAnswer;
export type Matched = MatchedAnswer;
export type Rendered = RenderedAnswer;

const at = (name: string): string => `/event-hooks/drafts/${name}`;

/** @param id of the hook that is edited; null: it is a new one */
export const checkDraft = (hook: unknown, id: string | null, signal?: AbortSignal): Promise<Checked> =>
  call('POST', at('check'), { body: { hook, ...(id === null ? {} : { id }) }, ...given(signal) });
export const matchDraft = (hook: unknown, signal: AbortSignal): Promise<Matched> =>
  call('POST', at('match'), { body: { hook, last: 1000 }, signal });
/** @param eventId of a stored event; null: an empty one */
export const renderDraft = (hook: unknown, eventId: string | null, signal?: AbortSignal): Promise<Rendered> =>
  call('POST', at('render'), { body: withEvent(hook, eventId), ...given(signal) });
export const testDraft = (hook: unknown, eventId: string | null): Promise<TestResult> =>
  call('POST', at('test'), { body: withEvent(hook, eventId) });

const withEvent = (hook: unknown, eventId: string | null): Record<string, unknown> => ({
  hook,
  ...(eventId === null ? { data: {} } : { event_id: eventId }),
});

export const replaceHook = (id: string, hook: unknown): Promise<Hook> =>
  call('PUT', `/event-hooks/${encodeURIComponent(id)}`, { body: hook });
/** The document of the whole API; what handlers there are, and which fields they have. */
export const readDocument = (signal?: AbortSignal): Promise<unknown> =>
  call('GET', '/event-hooks/openapi.json', given(signal));
