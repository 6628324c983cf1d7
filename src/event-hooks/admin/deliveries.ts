import { parseExactFields } from '../model/payload.ts';
import type { Dispatcher } from '../dispatcher/dispatcher.ts';
import { deliveryId, parseDeliveryId } from '../handlers/types.ts';
import { HookInvalidError } from '../model/errors.ts';
import type { Attempt, DeliveryRecord, DeliveryState } from '../store/types.ts';
import type { AttemptAnswer, DeliveryAnswer, ReplayedAnswer } from './answers.ts';
import { hookOf, notFound } from './hooks.ts';
import { page, readPage } from './paging.ts';
import type { Routes } from './routes.ts';

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

/** Records, dead letters and replay. */
export function deliveryRoutes(dispatcher: Dispatcher): Routes {
  const { store } = dispatcher;
  return {
    '/event-hooks/:id/deliveries': {
      GET: async (request, reply) => {
        const hook = hookOf(dispatcher, request);
        if (hook === null) return notFound(reply);
        const { size, offset } = readPage(request.query);
        const state = readState(request.query.state);
        const since = readSince(request.query.since);
        await dispatcher.outbox.flush();
        const found = await store.deliveries({
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
    '/event-hooks/deliveries/:delivery': {
      GET: async (request, reply) => {
        const ids = parseDeliveryId(request.params.delivery ?? '');
        await dispatcher.outbox.flush();
        const record = ids === null ? null : await store.delivery(ids.hookId, ids.eventId);
        return record === null ? notFound(reply) : showDelivery(record);
      },
    },
    '/event-hooks/deliveries/:delivery/replay': {
      POST: async (request, reply) => {
        const ids = parseDeliveryId(request.params.delivery ?? '');
        await dispatcher.outbox.flush();
        const record = ids === null ? null : await store.delivery(ids.hookId, ids.eventId);
        if (record === null) return notFound(reply);
        const seqs = await dispatcher.replay({
          hookId: record.hookId,
          seq: record.seq,
          states: replayable,
          size: 1,
        });
        return reply.code(202).send({ replayed: seqs.length } satisfies ReplayedAnswer);
      },
    },
    '/event-hooks/:id/replay': {
      POST: async (request, reply) => {
        const hook = hookOf(dispatcher, request);
        if (hook === null) return notFound(reply);
        const body = (request.body ?? {}) as Record<string, unknown>;
        const unknown = Object.keys(body).filter(
          (name) => !['since', 'states', 'size', 'offset'].includes(name),
        );
        if (unknown.length > 0)
          throw new HookInvalidError(unknown.map((path) => ({ path, text: 'unknown field' })));
        const since = readSince(body.since);
        const { size, offset } = readPage({
          size: body.size ?? replayAtOnce,
          ...(body.offset == null ? {} : { offset: body.offset }),
        });
        const seqs = await dispatcher.replay({
          hookId: hook.id,
          size,
          states: readStates(body.states),
          ...(since === null ? {} : { since }),
          ...(offset === null ? {} : { after: Number(offset) }),
        });
        // A replayed delivery can be finished before the client asks for the next portion. The offset keeps it from
        // going twice.
        const more = seqs.length === size;
        const next = Buffer.from(JSON.stringify([String(seqs.at(-1) ?? 0)])).toString('base64url');
        return reply
          .code(202)
          .send({ replayed: seqs.length, offset: more ? next : null } satisfies ReplayedAnswer);
      },
    },
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
