import { isUuid } from '../../base/uuid.ts';
import type { Dispatcher } from '../dispatcher/dispatcher.ts';
import { HookInvalidError } from '../model/errors.ts';
import { maxDepth, shapeProblem } from '../model/event.ts';
import { isNestedDeeperThan } from '../model/exact-json.ts';
import type { Fields } from '../model/payload.ts';
import { eventNameFor } from '../model/hook.ts';
import type { Hook } from '../model/hook.ts';
import { page, readPage } from './paging.ts';
import type { AdminRequest, Routes } from './routes.ts';

export const notFound = (reply: { code(status: number): { send(body: unknown): unknown } }): unknown =>
  reply.code(404).send({ message: 'Not found' });

/** The hook that a request names, null when there is none. */
export function hookOf(dispatcher: Dispatcher, request: AdminRequest): Hook | null {
  return dispatcher.hooks.get(idOf(dispatcher, request)) ?? null;
}

/** Kong takes a UUID in any case. A row that something else has written may have any id, and is found by that one. */
function idOf({ hooks }: Dispatcher, { params: { id = '' } }: AdminRequest): string {
  return hooks.get(id) === undefined ? id.toLowerCase() : id;
}

/** The entity itself, its sources, ping and test. */
export function hookRoutes(dispatcher: Dispatcher): Routes {
  const { hooks, sources } = dispatcher;
  return {
    '/event-hooks': {
      GET: (request) => {
        const { size, offset } = readPage(request.query);
        const all = hooks.list();
        const from = offset === null ? all : all.filter((hook) => hook.id > offset);
        const data = from.slice(0, size);
        return page(
          data,
          '/event-hooks',
          request.query,
          from.length > size ? (data.at(-1)?.id ?? null) : null,
        );
      },
      POST: async (request, reply) => {
        const hook = await dispatcher.createHook(request.body ?? {});
        void reply.code(201);
        return hook;
      },
    },
    '/event-hooks/sources': { GET: () => ({ data: sources.all() }) },
    '/event-hooks/sources/:source': {
      GET: (request, reply) => {
        const events = sources.source(request.params.source ?? '');
        return events === undefined ? notFound(reply) : { data: events };
      },
    },
    '/event-hooks/sources/:source/:event': {
      GET: (request, reply) => {
        const event = sources.find(request.params.source ?? '', request.params.event ?? '');
        return event === undefined ? notFound(reply) : { data: event };
      },
    },
    '/event-hooks/:id': {
      GET: (request, reply) => hookOf(dispatcher, request) ?? notFound(reply),
      PATCH: async (request, reply) => {
        const hook = hookOf(dispatcher, request);
        const change = (request.body ?? {}) as Record<string, unknown>;
        return (hook === null ? null : await hooks.patch(hook.id, change)) ?? notFound(reply);
      },
      PUT: (request, reply) => {
        const id = idOf(dispatcher, request);
        return isUuid(id) || hooks.get(id) !== undefined
          ? dispatcher.putHook(id, request.body ?? {})
          : notFound(reply);
      },
      DELETE: async (request) => {
        await hooks.delete(idOf(dispatcher, request));
      },
    },
    '/event-hooks/:id/ping': {
      GET: async (request, reply) => {
        const hook = hookOf(dispatcher, request);
        if (hook === null) return notFound(reply);
        if (dispatcher.kinds.get(hook.handler)?.pings !== true) {
          return reply.code(400).send({ message: `handler '${hook.handler}' does not support ping` });
        }
        const payload = dispatcher.pingPayload(hook);
        const result = await dispatcher.run(hook, payload);
        if (result !== true && 'error' in result) {
          return reply.code(502).send({ message: `the ping was not answered: ${result.error}` });
        }
        return payload;
      },
    },
    '/event-hooks/:id/test': {
      POST: async (request, reply) => {
        const hook = hookOf(dispatcher, request);
        if (hook === null) return notFound(reply);
        const data = testData(hook, (request.body ?? {}) as Fields);
        return { data, result: await dispatcher.run(hook, data) };
      },
    },
  };
}

/** The posted fields with the event and source that the hook is for; a hook for every event takes the posted one. */
function testData(hook: Hook, posted: Fields): Fields {
  if (isNestedDeeperThan(posted, maxDepth))
    throw new HookInvalidError([{ path: 'data', text: shapeProblem }]);
  const named = typeof posted.event === 'string' ? posted.event : 'test';
  return {
    ...posted,
    event: hook.event === null ? named : eventNameFor(hook, hook.event),
    source: hook.source,
  };
}
