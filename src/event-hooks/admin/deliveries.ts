import { parseExactFields } from '../model/payload.ts';
import type { Dispatcher } from '../dispatcher/dispatcher.ts';
import { deliveryId, parseDeliveryId } from '../handlers/types.ts';
import { HookInvalidError } from '../model/errors.ts';
import type { Attempt, DeliveryRecord, DeliveryState } from '../store/types.ts';
import type { AttemptAnswer, DeliveryAnswer, ReplayedAnswer } from './answers.ts';
import { hookOf, notFound } from './hooks.ts';
import { answer, invalid, missing, objectBody, paging, query, ref } from './endpoint.ts';
import type { AdminRequest, Endpoint } from './endpoint.ts';
import { page, readPage } from './paging.ts';

const states: readonly string[] = ['pending', 'waiting', 'delivered', 'dead'];
const replayable = ['delivered', 'dead', 'waiting'] as const;
const replayAtOnce = 1000;

/** A delivery as the Admin API shows it: times in seconds, the payload parsed. */
export function showDelivery(record: DeliveryRecord): DeliveryAnswer {
  const { hookId, eventId, source, event, state, attempts, status, error, response } = record;
  const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);
  return {
    id: deliveryId(hookId, eventId),
    event_hook: { id: hookId },
    event_id: eventId,
    source,
    event,
    state,
    attempts,
    status,
    latency_ms: record.latencyMs,
    error,
    response,
    created_at: seconds(record.at),
    finished_at: seconds(record.finishedAt),
    next_attempt_at: seconds(record.due),
    payload: parseExactFields(record.payload) ?? {},
    ...(record.history === undefined ? {} : { history: record.history.map(showAttempt) }),
  };
}

const showAttempt = ({ attempt, finishedAt, status, latencyMs, error }: Attempt): AttemptAnswer => ({
  attempt,
  at: finishedAt / 1000,
  status,
  latency_ms: latencyMs,
  error,
});

/** The delivery that a request names, null when there is none. */
async function deliveryOf(
  { outbox, store }: Dispatcher,
  { params }: AdminRequest,
): Promise<DeliveryRecord | null> {
  const ids = parseDeliveryId(params.id ?? '');
  await outbox.flush();
  return ids === null ? null : await store.delivery(ids.hookId, ids.eventId);
}

const howMany = { 202: answer('How many.', ref('Replayed')) };

/** Records, dead letters and replay. */
export const deliveryEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/event-hooks/:id/deliveries',
    summary: 'Deliveries of a hook, newest first',
    query: [
      ...paging,
      query('state', 'pending, waiting, delivered or dead'),
      query('since', 'Seconds since the epoch or an ISO 8601 time.'),
    ],
    answers: { 200: answer('A page.', ref('DeliveryPage')), ...missing, ...invalid },
    handle: async ({ dispatcher }, request, reply) => {
      const hook = hookOf(dispatcher, request);
      if (hook === null) return notFound(reply);
      const { size, offset } = readPage(request.query);
      const state = readState(request.query.state);
      const since = readSince(request.query.since);
      await dispatcher.outbox.flush();
      const found = await dispatcher.store.deliveries({
        hookId: hook.id,
        size: size + 1,
        ...(state === null ? {} : { state }),
        ...(since === null ? {} : { since }),
        ...(offset === null ? {} : { before: Number(offset) }),
      });
      const shown = found.slice(0, size);
      const last = found.length > size ? String(shown.at(-1)?.seq) : null;
      return page(shown.map(showDelivery), `/event-hooks/${hook.id}/deliveries`, request.query, last);
    },
  },
  {
    method: 'POST',
    path: '/event-hooks/:id/replay',
    summary: 'Make deliveries of a hook again: all, or since a time',
    body: objectBody,
    answers: { ...howMany, ...missing, ...invalid },
    handle: async ({ dispatcher }, request, reply) => {
      const hook = hookOf(dispatcher, request);
      if (hook === null) return notFound(reply);
      const { size, since, states, after } = readReplay((request.body ?? {}) as Record<string, unknown>);
      const seqs = await dispatcher.replay({ hookId: hook.id, size, states, ...since, ...after });
      // A replayed delivery can be finished before the client asks for the next portion. The offset keeps it from
      // going twice.
      const more = seqs.length === size;
      const next = Buffer.from(JSON.stringify([String(seqs.at(-1) ?? 0)])).toString('base64url');
      return reply
        .code(202)
        .send({ replayed: seqs.length, offset: more ? next : null } satisfies ReplayedAnswer);
    },
  },
  {
    method: 'GET',
    path: '/event-hooks/deliveries/:id',
    summary: 'Read one delivery',
    answers: { 200: answer('The delivery.', ref('Delivery')), ...missing },
    handle: async ({ dispatcher }, request, reply) => {
      const record = await deliveryOf(dispatcher, request);
      return record === null ? notFound(reply) : showDelivery(record);
    },
  },
  {
    method: 'POST',
    path: '/event-hooks/deliveries/:id/replay',
    summary: 'Make one delivery again',
    answers: { ...howMany, ...missing },
    handle: async ({ dispatcher }, request, reply) => {
      const record = await deliveryOf(dispatcher, request);
      if (record === null) return notFound(reply);
      const { hookId, seq } = record;
      const seqs = await dispatcher.replay({ hookId, seq, states: replayable, size: 1 });
      return reply.code(202).send({ replayed: seqs.length } satisfies ReplayedAnswer);
    },
  },
];

/** What a replay is asked for in its body. */
function readReplay(body: Record<string, unknown>) {
  const unknown = Object.keys(body).filter((name) => !['since', 'states', 'size', 'offset'].includes(name));
  if (unknown.length > 0)
    throw new HookInvalidError(unknown.map((path) => ({ path, text: 'unknown field' })));
  const since = readSince(body.since);
  const { size, offset } = readPage({
    size: body.size ?? replayAtOnce,
    ...(body.offset == null ? {} : { offset: body.offset }),
  });
  return {
    size,
    states: readStates(body.states),
    since: since === null ? {} : { since },
    after: offset === null ? {} : { after: Number(offset) },
  };
}

function readState(value: unknown): DeliveryState | null {
  if (value === undefined) return null;
  if (typeof value !== 'string' || !states.includes(value)) {
    throw new HookInvalidError([{ path: 'state', text: `expected one of: ${states.join(', ')}` }]);
  }
  return value as DeliveryState;
}

function readStates(value: unknown): readonly (typeof replayable)[number][] {
  if (value === undefined || value === null) return ['delivered', 'dead'];
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  const known = list.filter((one): one is (typeof replayable)[number] =>
    (replayable as readonly unknown[]).includes(one),
  );
  if (known.length !== list.length || known.length === 0) {
    throw new HookInvalidError([{ path: 'states', text: `expected an array of: ${replayable.join(', ')}` }]);
  }
  return known;
}

/** Seconds since the epoch or an ISO 8601 time, as milliseconds. */
function readSince(value: unknown): number | null {
  if (value === undefined || value === null || value === '') return null;
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value : '';
  // Date.parse takes nearly anything, "-5" as a month of 2001: a replay of everything.
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : NaN;
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : time;
  if (Number.isNaN(ms)) {
    throw new HookInvalidError([
      { path: 'since', text: 'expected seconds since the epoch or an ISO 8601 time' },
    ]);
  }
  return ms;
}
