import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { HookInvalidError } from '../model/errors.ts';
import type { Violation } from '../model/errors.ts';
import { newEventId, shapeProblem } from '../model/event.ts';
import type { HookEvent } from '../model/event.ts';
import type { StatusAnswer } from './answers.ts';
import { answer, invalid, objectBody, ref } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';

const metrics = {
  method: 'GET',
  answers: { 200: answer('Metrics.', { type: 'string' }, 'text/plain') },
  handle: async ({ dispatcher }, _request, reply) => {
    const { registry } = dispatcher.metrics;
    return reply.type(registry.contentType).send(await registry.metrics());
  },
} satisfies Partial<Endpoint>;

/** What operators and programs need: emit over HTTP, live view, metrics, status, the OpenAPI document. */
export const serviceEndpoints: readonly Endpoint[] = [
  {
    method: 'POST',
    path: '/event-hooks/events',
    summary: 'Emit events: one, or a list under "events"',
    body: objectBody,
    answers: {
      202: answer('They are stored.', {
        type: 'object',
        properties: { accepted: { type: 'integer' } },
        required: ['accepted'],
      }),
      ...invalid,
    },
    takesEvents: true,
    handle: async ({ dispatcher }, request, reply) => {
      const events = readEvents(request.body, dispatcher.options.clock.now());
      const { refused } = await dispatcher.accept(events);
      if (refused.length > 0) {
        throw new HookInvalidError(
          refused.map(({ index, reason }) => violation(`events.${String(index)}`, reason)),
        );
      }
      return reply.code(202).send({ accepted: events.length });
    },
  },
  {
    method: 'GET',
    path: '/event-hooks/tail',
    summary: 'Events and deliveries as they happen',
    answers: { 200: answer('One JSON object per line.', { type: 'string' }, 'application/x-ndjson') },
    isEndless: true,
    handle: async ({ dispatcher, tails, access }, request, reply) => {
      const { seesPayloads } = access.callerOf(request);
      const stream = new PassThrough();
      const reader = tails.reader();
      const end = dispatcher.feed.tail((notice) => {
        if (stream.destroyed) return;
        const shown = seesPayloads || notice.type !== 'event' ? notice : { ...notice, data: null };
        const line = Buffer.from(`${JSON.stringify(shown)}\n`);
        if (!reader.take(line.length)) stream.destroy();
        else stream.write(line, () => reader.left(line.length));
      });
      const leave = (): void => {
        end();
        reader.leave();
      };
      stream.on('close', leave).on('error', leave);
      // A client that sends no more has gone: this answer has no end of its own.
      for (const event of ['end', 'close']) request.raw.socket.once(event, () => stream.destroy());
      // The first line comes at once, so that a reader knows that it is connected.
      stream.write('{"type":"connected"}\n');
      void reply.type('application/x-ndjson').send(stream);
      await once(stream, 'close');
      return reply;
    },
  },
  {
    method: 'GET',
    path: '/event-hooks/status',
    summary: 'State of the dispatcher',
    answers: { 200: answer('The state.', ref('Status')) },
    handle: ({ dispatcher }): StatusAnswer => ({
      store: dispatcher.store.kind,
      durable: dispatcher.store.durable,
      store_healthy: dispatcher.outbox.healthy,
      delivering: dispatcher.engine.active,
      rights: dispatcher.engine.rights,
      hooks: dispatcher.hooks.list().length,
      unfinished: Math.max(0, dispatcher.backlog.total),
    }),
  },
  { path: '/metrics', summary: 'Prometheus metrics', ...metrics },
  // Where Kong's own Admin API is behind this one, /metrics is Kong's.
  { path: '/event-hooks/metrics', summary: "The same, also where /metrics is Kong's", ...metrics },
  {
    method: 'GET',
    path: '/event-hooks/openapi.json',
    summary: 'This document',
    answers: { 200: answer('OpenAPI 3.1.', { type: 'object' }) },
    handle: ({ document }) => document(),
  },
];

/** Events from an HTTP body: one `{source, event, data, id?}`, or a list of them under `events`. */
function readEvents(body: unknown, now: number): HookEvent[] {
  const record = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const list = record.events ?? [record];
  if (!Array.isArray(list)) throw new HookInvalidError([{ path: 'events', text: 'expected an array' }]);
  const violations: Violation[] = [];
  const events = list.map((one: unknown, index): HookEvent => {
    const at = record.events === undefined ? '' : `events.${String(index)}.`;
    const { source, event, data, id } = (typeof one === 'object' && one !== null ? one : {}) as Record<
      string,
      unknown
    >;
    if (typeof source !== 'string')
      violations.push(
        violation(`${at}source`, source == null ? 'required field missing' : 'expected a string'),
      );
    if (typeof event !== 'string')
      violations.push(
        violation(`${at}event`, event == null ? 'required field missing' : 'expected a string'),
      );
    if (data != null && (typeof data !== 'object' || Array.isArray(data)))
      violations.push(violation(`${at}data`, 'expected a record'));
    if (id !== undefined && typeof id !== 'string')
      violations.push(violation(`${at}id`, 'expected a string'));
    const text = textOf(data ?? {});
    if (text === null) violations.push(violation(`${at}data`, shapeProblem));
    return {
      id: typeof id === 'string' ? id : newEventId(),
      source: String(source),
      event: String(event),
      data: text ?? '',
      at: now,
    };
  });
  if (violations.length > 0) throw new HookInvalidError(violations);
  return events;
}

/** JSON; null for data that nests too deep to be written. */
function textOf(data: unknown): string | null {
  try {
    return JSON.stringify(data);
  } catch {
    return null;
  }
}

const violation = (path: string, text: string): Violation => ({ path, text });
