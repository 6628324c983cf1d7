import { parseExactFields } from '../model/payload.ts';
import { HookInvalidError } from '../model/errors.ts';
import type { Hook } from '../model/hook.ts';
import type { PastEvent } from '../store/types.ts';
import type { CheckedAnswer, MatchedAnswer, PastEventAnswer } from './answers.ts';
import { answer, invalid, objectBody, query, ref } from './endpoint.ts';
import type { AdminRequest, Api, Endpoint } from './endpoint.ts';
import { testData } from './test-data.ts';

const defaultLast = 1000;
const mostLast = 5000;
const mostExamples = 20;
/** How many events are listed, and payload characters of all of them. */
const mostEvents = 100;
const mostListed = 4 * 1024 * 1024;

const none = 'No event of this kind is stored: only events that fire a hook are kept.';
const unseen = { 403: answer('Payloads are not shown to the caller.', ref('Message')) };

/** Hooks that are being written: nothing of a draft is stored. */
export const draftEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/event-hooks/events',
    summary: 'The latest stored events of a source, newest first',
    query: [
      query('source', 'Of this source; required.'),
      query('event', 'Of this name only.'),
      query('size', `1 to ${String(mostEvents)} (default 20).`, 'integer'),
    ],
    answers: { 200: answer('The events.', ref('PastEvents')), ...invalid },
    handle: async (api, request) => {
      const { source, event, size: asked } = request.query;
      if (typeof source !== 'string' || source === '')
        throw new HookInvalidError([{ path: 'source', text: 'required field missing' }]);
      const size = readNumber(asked, 'size', 20, mostEvents);
      const name = typeof event === 'string' && event !== '' ? { event } : {};
      await api.dispatcher.outbox.flush();
      const events = await api.dispatcher.store.recentEvents({ source, ...name, size, mostSize: mostListed });
      const { seesPayloads } = api.access.callerOf(request);
      const data = events.map((one): PastEventAnswer => showEvent(one, seesPayloads));
      return { data, reason: data.length === 0 ? none : null };
    },
  },
  {
    method: 'POST',
    path: '/event-hooks/drafts/check',
    summary: 'What is wrong with a hook that is being written',
    body: objectBody,
    answers: { 200: answer('Whether it could be saved, and what is wrong.', ref('Checked')), ...invalid },
    handle: async ({ dispatcher }, { body }): Promise<CheckedAnswer> => {
      const { hook, id } = readDraft(body);
      const before = typeof id === 'string' ? dispatcher.hooks.get(id.toLowerCase()) : undefined;
      const violations = await dispatcher.drafts.check(hook, before);
      if (violations.length === 0) return { valid: true, message: null, fields: {} };
      const { message, fields } = new HookInvalidError([...violations]).toKong();
      return { valid: false, message, fields };
    },
  },
  {
    method: 'POST',
    path: '/event-hooks/drafts/match',
    summary: 'How many of the latest events would have fired a hook that is being written',
    body: objectBody,
    answers: { 200: answer('How many of how many.', ref('Matched')), ...invalid, ...unseen },
    handle: async ({ dispatcher, access }, request, reply) => {
      const { hook, last } = readDraft(request.body);
      if (
        isRecord(hook.filter) &&
        Object.keys(hook.filter).length > 0 &&
        !access.callerOf(request).seesPayloads
      )
        return reply.code(403).send({ message: unfiltered });
      await dispatcher.outbox.flush();
      const judged = await dispatcher.drafts.match(hook, readNumber(last, 'last', defaultLast, mostLast));
      return {
        events: judged.length,
        fired: judged.filter(({ fires }) => fires).length,
        examples: judged
          .slice(0, mostExamples)
          .map(({ event: { id, event, at }, fires }) => ({ id, event, at: at / 1000, fires })),
        reason: judged.length === 0 ? none : null,
      } satisfies MatchedAnswer;
    },
  },
  {
    method: 'POST',
    path: '/event-hooks/drafts/render',
    summary: 'The request that a hook which is being written would send for an event',
    body: objectBody,
    answers: { 200: answer('The request.', ref('Rendered')), ...invalid, ...unseen },
    takesEvents: true,
    handle: async (api, request, reply) => {
      const { hook, ...given } = readDraft(request.body);
      if (isHidden(api, request, given)) return reply.code(403).send({ message: hidden });
      const payload = await payloadOf(api, hook, given);
      const made = await api.dispatcher.drafts.render(hook, payload);
      if (made === null)
        throw new HookInvalidError([{ path: 'handler', text: 'this handler sends no request' }]);
      return { request: made, event_id: given.event_id ?? null };
    },
  },
  {
    method: 'POST',
    path: '/event-hooks/drafts/test',
    summary: 'Run the handler of a hook which is being written now',
    body: objectBody,
    answers: { 200: answer('What came of it.', ref('TestResult')), ...invalid, ...unseen },
    takesEvents: true,
    handle: async (api, request, reply) => {
      const { hook, ...given } = readDraft(request.body);
      if (isHidden(api, request, given)) return reply.code(403).send({ message: hidden });
      return api.dispatcher.drafts.test(hook, await payloadOf(api, hook, given));
    },
  },
];

interface Given {
  event_id?: string;
  data?: Record<string, unknown>;
}

const hidden = 'Payloads are not shown here, so no stored event is used: give data.';
/** Which events a filter lets through tells what they hold. */
const unfiltered = 'Payloads are not shown here, so no filter is tried on them.';
const isHidden = ({ access }: Api, request: AdminRequest, { event_id }: Given): boolean =>
  event_id !== undefined && !access.callerOf(request).seesPayloads;

/** @throws HookInvalidError */
function readDraft(body: unknown): Given & { hook: Record<string, unknown>; id?: unknown; last?: unknown } {
  const { hook, event_id, data, id, last } = (body ?? {}) as Record<string, unknown>;
  if (!isRecord(hook)) throw new HookInvalidError([{ path: 'hook', text: 'expected a record' }]);
  if (event_id != null && typeof event_id !== 'string')
    throw new HookInvalidError([{ path: 'event_id', text: 'expected a string' }]);
  if (data != null && !isRecord(data))
    throw new HookInvalidError([{ path: 'data', text: 'expected a record' }]);
  return {
    hook,
    id,
    last,
    ...(typeof event_id === 'string' ? { event_id } : {}),
    ...(isRecord(data) ? { data } : {}),
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The payload that a draft is tried on: of a stored event, or posted. @throws HookInvalidError */
async function payloadOf(
  { dispatcher }: Api,
  { source }: Record<string, unknown>,
  { event_id: id, data = {} }: Given,
): Promise<(hook: Hook) => Record<string, unknown>> {
  if (id === undefined) return (hook) => testData(hook, data);
  await dispatcher.outbox.flush();
  const latest =
    typeof source === 'string' ? await dispatcher.store.recentEvents({ source, size: mostLast, id }) : [];
  const [event] = latest;
  const fields = event === undefined ? null : parseExactFields(event.payload);
  if (fields === null)
    throw new HookInvalidError([{ path: 'event_id', text: 'no stored event of this source has this id' }]);
  return (hook) => testData(hook, fields);
}

const showEvent = ({ id, source, event, at, payload }: PastEvent, sees: boolean): PastEventAnswer => ({
  id,
  source,
  event,
  at: at / 1000,
  payload: sees ? (parseExactFields(payload) ?? {}) : null,
});

function readNumber(value: unknown, path: string, otherwise: number, most: number): number {
  const number = value === undefined || value === null ? otherwise : Number(value);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new HookInvalidError([{ path, text: `expected an integer from 1 to ${String(most)}` }]);
}
