import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Dispatcher } from '../dispatcher/dispatcher.ts';
import { Backlog } from '../dispatcher/backlog.ts';
import { HookInvalidError } from '../model/errors.ts';
import type { Violation } from '../model/errors.ts';
import { newEventId, shapeProblem } from '../model/event.ts';
import type { HookEvent } from '../model/event.ts';
import type { StatusAnswer } from './answers.ts';
import { openApiDocument } from './openapi.ts';
import type { Routes } from './routes.ts';

/** How much may wait for one watcher, and for all of them, in bytes. A watcher that reads more slowly is cut off. */
const maxTailBuffer = 4 * 1024 * 1024;
const maxTailBuffers = 64 * 1024 * 1024;

/** The routes for operators and programs: emit over HTTP, live view, metrics, status, the OpenAPI document. */
export function serviceRoutes(dispatcher: Dispatcher): Routes {
  const backlog = new Backlog(maxTailBuffer, maxTailBuffers);
  return {
    '/event-hooks/events': {
      POST: async (request, reply) => {
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
    '/event-hooks/tail': {
      GET: async (request, reply) => {
        const stream = new PassThrough();
        const reader = backlog.reader();
        const end = dispatcher.feed.tail((notice) => {
          if (stream.destroyed) return;
          const line = Buffer.from(`${JSON.stringify(notice)}\n`);
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
    '/event-hooks/status': {
      GET: (): StatusAnswer => ({
        store: dispatcher.store.kind,
        durable: dispatcher.store.durable,
        store_healthy: dispatcher.outbox.healthy,
        delivering: dispatcher.engine.active,
        hooks: dispatcher.hooks.list().length,
        unfinished: Math.max(0, dispatcher.backlog.total),
      }),
    },
    '/event-hooks/openapi.json': { GET: () => openApiDocument(dispatcher.kinds) },
    '/metrics': metrics(dispatcher),
    // Where Kong's own Admin API is behind this one, /metrics is Kong's.
    '/event-hooks/metrics': metrics(dispatcher),
  };
}

function metrics({ metrics: { registry } }: Dispatcher): Routes[string] {
  return {
    GET: async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()),
  };
}

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
