import type { FastifyReply } from 'fastify';
import { HookInvalidError } from '../../model/errors.ts';
import type { Violation } from '../../model/errors.ts';
import { conditionNames, readConditions } from '../conditions.ts';
import { answer, invalid, missing, objectBody, ref } from '../endpoint.ts';
import type { AdminRequest, Api, Endpoint } from '../endpoint.ts';
import { ReplayJob } from './job.ts';
import { replayableStates } from './selection.ts';
import type { ReplayableState, ReplaySelection } from './selection.ts';

const mostIds = 1000;
const job = { 200: answer('The replay as it is.', ref('ReplayJob')) };
const conflict = { 409: answer('It is not in that state, or too many are under way.', ref('Message')) };
const unseen = { 403: answer('Payloads are not shown to the caller.', ref('Message')) };

/** Replays of many deliveries: the number first, then a start, progress, a result; each can be stopped. */
export const replayEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/event-hooks/replays',
    summary: 'The replays of this process, the latest first',
    answers: { 200: answer('The replays.', ref('ReplayJobs')) },
    handle: ({ replays }) => ({
      data: replays
        .list()
        .map((one) => one.show())
        .reverse(),
    }),
  },
  {
    method: 'POST',
    path: '/event-hooks/replays',
    summary: 'Count the deliveries that are to be made again: of one hook, dead ones of all, or by their ids',
    body: objectBody,
    answers: {
      201: answer('The replay; it counts now.', ref('ReplayJob')),
      ...invalid,
      ...missing,
      ...conflict,
      ...unseen,
    },
    handle: (api, request, reply) => {
      const body = (request.body ?? {}) as Record<string, unknown>;
      const selection = readSelection(body);
      const { hookId, conditions } = selection;
      if (hookId !== null && api.dispatcher.hooks.get(hookId) === undefined)
        return reply.code(404).send({ message: 'Not found' });
      if (conditions.text !== undefined && !api.access.callerOf(request).seesPayloads)
        return reply
          .code(403)
          .send({ message: 'Payloads are not shown here, so no text is looked for in them.' });
      const made = new ReplayJob(api.dispatcher, selection, body, api.replays.changed);
      if (!api.replays.add(made))
        return reply.code(409).send({ message: 'Too many replays are not over: stop one first.' });
      void made.count();
      return reply.code(201).send(made.show());
    },
  },
  {
    method: 'GET',
    path: '/event-hooks/replays/:id',
    summary: 'How far a replay is',
    answers: { ...job, ...missing },
    handle: (api, request, reply) => jobOf(api, request)?.show() ?? notFound(reply),
  },
  {
    method: 'POST',
    path: '/event-hooks/replays/:id/start',
    summary: 'Make what was counted due',
    answers: { 202: answer('It runs.', ref('ReplayJob')), ...missing, ...conflict },
    handle: (api, request, reply) => {
      const one = jobOf(api, request);
      if (one === undefined) return notFound(reply);
      if (!one.start())
        return reply.code(409).send({ message: `The replay is ${one.state}, and not ready.` });
      return reply.code(202).send(one.show());
    },
  },
  {
    method: 'POST',
    path: '/event-hooks/replays/:id/stop',
    summary: 'Stop a replay: what is due already is delivered, and nothing more becomes due',
    answers: { ...job, ...missing },
    handle: (api, request, reply) => {
      const one = jobOf(api, request);
      one?.stop();
      return one?.show() ?? notFound(reply);
    },
  },
];

const jobOf = ({ replays }: Api, { params }: AdminRequest): ReplayJob | undefined =>
  replays.get(params.id ?? '');
const notFound = (reply: FastifyReply): FastifyReply => reply.code(404).send({ message: 'Not found' });

const fields: readonly string[] = [
  'event_hook',
  'states',
  'ids',
  ...conditionNames.filter((name) => name !== 'state'),
];

/** @throws HookInvalidError naming every field that is wrong */
function readSelection(body: Readonly<Record<string, unknown>>): ReplaySelection {
  const violations: Violation[] = Object.keys(body)
    .filter((name) => !fields.includes(name))
    .map((path) => ({ path, text: 'unknown field' }));
  const hookId = readHook(body.event_hook, violations);
  const ids = readIds(body.ids, violations);
  const states = readStates(body.states, ids !== null, violations);
  const { state: _, ...conditions } = readConditions({ ...body, state: undefined });
  if (ids === null && hookId === null && states.some((state) => state !== 'dead'))
    violations.push({ path: 'states', text: 'expected ["dead"] where no hook is named' });
  if (ids !== null && (hookId !== null || Object.keys(conditions).length > 0))
    violations.push({ path: 'ids', text: 'stand alone, without a hook or conditions' });
  if (violations.length > 0) throw new HookInvalidError(violations);
  return { hookId, states, conditions, ids };
}

function readHook(value: unknown, violations: Violation[]): string | null {
  if (value === undefined || value === null) return null;
  const { id } = (typeof value === 'object' ? value : {}) as { id?: unknown };
  if (typeof id === 'string') return id.toLowerCase();
  violations.push({ path: 'event_hook', text: 'expected a record with an id' });
  return null;
}

function readIds(value: unknown, violations: Violation[]): string[] | null {
  if (value === undefined || value === null) return null;
  if (
    Array.isArray(value) &&
    value.length <= mostIds &&
    value.every((id): id is string => typeof id === 'string')
  )
    return [...new Set(value)];
  violations.push({ path: 'ids', text: `expected an array of at most ${String(mostIds)} ids of deliveries` });
  return null;
}

function readStates(value: unknown, chosen: boolean, violations: Violation[]): readonly ReplayableState[] {
  if (value === undefined || value === null) return chosen ? replayableStates : ['dead'];
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  const known = list.filter((one): one is ReplayableState =>
    (replayableStates as readonly unknown[]).includes(one),
  );
  if (known.length === 0 || known.length !== list.length)
    violations.push({ path: 'states', text: `expected an array of: ${replayableStates.join(', ')}` });
  return [...new Set(known)];
}
