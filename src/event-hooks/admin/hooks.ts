import { isUuid } from '../../base/uuid.ts';
import type { Dispatcher } from '../dispatcher/dispatcher.ts';
import type { Fields } from '../model/payload.ts';
import type { Hook } from '../model/hook.ts';
import { withoutSecrets } from '../model/secrecy.ts';
import { answer, invalid, missing, objectBody, paging, ref } from './endpoint.ts';
import type { AdminRequest, Api, Endpoint, Json } from './endpoint.ts';
import { page, readPage } from './paging.ts';
import { testData } from './test-data.ts';
import { warn, warningHeader } from './warnings.ts';

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

/** Hooks as a caller may see them: who may only look sees no secrets. */
function shownTo({ access, dispatcher }: Api, request: AdminRequest, hooks: readonly Hook[]): unknown[] {
  if (access.callerOf(request).role === 'admin') return [...hooks];
  return hooks.map((hook) => withoutSecrets(hook, dispatcher.kinds.get(hook.handler)));
}

const hookBody: Json = {
  required: true,
  content: {
    'application/json': { schema: ref('HookInput') },
    'application/x-www-form-urlencoded': { schema: { type: 'object' } },
    'multipart/form-data': { schema: { type: 'object' } },
  },
};
const theHook = { 200: answer('The hook.', ref('Hook')) };
const savedHook = { 200: { ...answer('The hook.', ref('Hook')), ...warningHeader } };

/** The entity itself, its ping and its test. */
export const hookEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/event-hooks',
    summary: 'List the hooks',
    query: paging,
    answers: { 200: answer('A page.', ref('HookPage')), ...invalid },
    handle: (api, request) => {
      const { size, offset } = readPage(request.query);
      const all = api.dispatcher.hooks.list();
      const from = offset === null ? all : all.filter((hook) => hook.id > offset);
      const data = from.slice(0, size);
      const last = from.length > size ? (data.at(-1)?.id ?? null) : null;
      return page(shownTo(api, request, data), '/event-hooks', request.query, last);
    },
  },
  {
    method: 'POST',
    path: '/event-hooks',
    summary: 'Create a hook',
    body: hookBody,
    answers: {
      201: { ...answer('The hook.', ref('Hook')), ...warningHeader },
      ...invalid,
      413: answer('The body is larger than 1 MiB.', ref('Message')),
    },
    handle: async ({ dispatcher }, request, reply) => {
      const hook = await dispatcher.createHook(request.body ?? {});
      void reply.code(201);
      return warn(dispatcher, hook, reply);
    },
  },
  {
    method: 'GET',
    path: '/event-hooks/:id',
    summary: 'Read a hook',
    answers: { ...theHook, ...missing },
    handle: (api, request, reply) => {
      const hook = hookOf(api.dispatcher, request);
      return hook === null ? notFound(reply) : shownTo(api, request, [hook])[0];
    },
  },
  {
    method: 'PATCH',
    path: '/event-hooks/:id',
    summary: 'Change fields of a hook',
    body: objectBody,
    answers: { ...savedHook, ...missing, ...invalid },
    handle: async ({ dispatcher }, request, reply) => {
      const hook = hookOf(dispatcher, request);
      const change = (request.body ?? {}) as Record<string, unknown>;
      const saved = hook === null ? null : await dispatcher.hooks.patch(hook.id, change);
      return saved === null ? notFound(reply) : warn(dispatcher, saved, reply);
    },
  },
  {
    method: 'PUT',
    path: '/event-hooks/:id',
    summary: 'Replace or create a hook',
    body: hookBody,
    answers: { ...savedHook, ...missing, ...invalid },
    handle: async ({ dispatcher }, request, reply) => {
      const id = idOf(dispatcher, request);
      if (!isUuid(id) && dispatcher.hooks.get(id) === undefined) return notFound(reply);
      return warn(dispatcher, await dispatcher.putHook(id, request.body ?? {}), reply);
    },
  },
  {
    method: 'DELETE',
    path: '/event-hooks/:id',
    summary: 'Delete a hook and its deliveries',
    answers: { 204: answer('It is gone, or was not there.') },
    handle: async ({ dispatcher }, request) => {
      await dispatcher.hooks.delete(idOf(dispatcher, request));
    },
  },
  {
    method: 'GET',
    path: '/event-hooks/:id/ping',
    acts: true,
    summary: 'Send a ping',
    answers: {
      200: answer('The payload that was sent.', ref('Ping')),
      400: answer('The handler cannot ping.', ref('Message')),
      ...missing,
      502: answer('The target did not answer.', ref('Message')),
    },
    handle: async ({ dispatcher }, request, reply) => {
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
  {
    method: 'POST',
    path: '/event-hooks/:id/test',
    summary: "Run a hook's handler now on the posted fields",
    body: objectBody,
    answers: { 200: answer('What came of it.', ref('TestResult')), ...missing, ...invalid },
    takesEvents: true,
    handle: async ({ dispatcher }, request, reply) => {
      const hook = hookOf(dispatcher, request);
      if (hook === null) return notFound(reply);
      const data = testData(hook, (request.body ?? {}) as Fields);
      return { data, result: await dispatcher.run(hook, data) };
    },
  },
];
