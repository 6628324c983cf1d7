import type { FastifyReply } from 'fastify';
import { parseExactFields } from '../model/payload.ts';
import type { Dispatcher } from '../dispatcher/dispatcher.ts';
import { deliveryId, parseDeliveryId } from '../handlers/types.ts';
import { HookInvalidError } from '../model/errors.ts';
import { searchDeliveries } from '../dispatcher/delivery-search.ts';
import type { Attempt, DeliveryRecord } from '../store/types.ts';
import type { AttemptAnswer, DeliveryAnswer, DeliveryPageAnswer, ReplayedAnswer } from './answers.ts';
import { conditionQuery, readConditions } from './conditions.ts';
import { hookOf, notFound } from './hooks.ts';
import { answer, invalid, missing, objectBody, paging, query, ref } from './endpoint.ts';
import type { AdminRequest, Api, Endpoint } from './endpoint.ts';
import { page, readPage } from './paging.ts';
import { readTime } from './read-time.ts';

const replayable = ['delivered', 'dead', 'waiting'] as const;
const replayAtOnce = 1000;

/**
 * A delivery as the Admin API shows it: times in seconds, the payload parsed.
 * @param seesPayloads false: neither the payload nor what came back, which may repeat it
 */
export function showDelivery(record: DeliveryRecord, seesPayloads: boolean): DeliveryAnswer {
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
    response: seesPayloads ? response : null,
    created_at: seconds(record.at),
    finished_at: seconds(record.finishedAt),
    next_attempt_at: seconds(record.due),
    payload: seesPayloads ? (parseExactFields(record.payload) ?? {}) : null,
    ...(record.history === undefined
      ? {}
      : { history: record.history.map((one) => showAttempt(one, seesPayloads)) }),
  };
}

const showAttempt = (one: Attempt, seesPayloads: boolean): AttemptAnswer => ({
  attempt: one.attempt,
  at: one.finishedAt / 1000,
  status: one.status,
  latency_ms: one.latencyMs,
  error: one.error,
  response: seesPayloads ? one.response : null,
  request: one.request,
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

/** Where a page of deliveries is asked for, and whose they are. */
interface Listed {
  path: string;
  /** null: all hooks'. */
  hooks: readonly string[] | null;
}

async function deliveryPage(
  { dispatcher, access }: Api,
  request: AdminRequest,
  reply: FastifyReply,
  { path, hooks }: Listed,
): Promise<DeliveryPageAnswer | FastifyReply> {
  const { seesPayloads } = access.callerOf(request);
  const { size, offset } = readPage(request.query);
  const conditions = readConditions(request.query);
  if (conditions.text !== undefined && !seesPayloads)
    return reply
      .code(403)
      .send({ message: 'Payloads are not shown here, so no text is looked for in them.' });
  await dispatcher.outbox.flush();
  const { id } = request.query;
  if (typeof id === 'string' && id !== '') {
    const found = await dispatcher.deliveriesOf(id, hooks, conditions);
    const data = found.slice(0, size).map((record) => showDelivery(record, seesPayloads));
    return { data, next: null, looked: found.length, complete: true };
  }
  if (hooks === null && conditions.state !== 'dead')
    throw new HookInvalidError([{ path: 'state', text: 'expected dead, or an id, where no hook is named' }]);
  const { found, looked, before } = await searchDeliveries(dispatcher.store, {
    ...conditions,
    hookId: hooks === null ? null : (hooks[0] ?? null),
    size,
    ...(offset === null ? {} : { before: offset }),
  });
  const data = found.map((record) => showDelivery(record, seesPayloads));
  const { next, offset: following } = page(data, path, request.query, before);
  const complete = before === null || data.length >= size;
  return { data, next, ...(following === undefined ? {} : { offset: following }), looked, complete };
}

const unseen = { 403: answer('Payloads are not shown to the caller.', ref('Message')) };
const howMany = { 202: answer('How many.', ref('Replayed')) };

/** Records, dead letters and replay. */
export const deliveryEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/event-hooks/:id/deliveries',
    summary: 'Deliveries of a hook, newest first',
    query: [...paging, ...conditionQuery, query('id', 'Of the event or of the delivery.')],
    answers: { 200: answer('A page.', ref('DeliveryPage')), ...missing, ...invalid, ...unseen },
    handle: async (api, request, reply) => {
      const hook = hookOf(api.dispatcher, request);
      if (hook === null) return notFound(reply);
      return deliveryPage(api, request, reply, {
        path: `/event-hooks/${hook.id}/deliveries`,
        hooks: [hook.id],
      });
    },
  },
  {
    method: 'GET',
    path: '/event-hooks/deliveries',
    summary: 'Deliveries over all hooks, newest first: dead ones, or those of one event',
    query: [
      ...paging,
      ...conditionQuery,
      query('id', 'Of the event or of the delivery. Without it, `state` has to be dead.'),
    ],
    answers: { 200: answer('A page.', ref('DeliveryPage')), ...invalid, ...unseen },
    handle: (api, request, reply) =>
      deliveryPage(api, request, reply, { path: '/event-hooks/deliveries', hooks: null }),
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
    handle: async ({ dispatcher, access }, request, reply) => {
      const record = await deliveryOf(dispatcher, request);
      return record === null ? notFound(reply) : showDelivery(record, access.callerOf(request).seesPayloads);
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
  const since = readTime(body.since, 'since');
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
