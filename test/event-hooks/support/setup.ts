import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { AdminOptions } from '../../../src/event-hooks/admin/server.ts';
import { onTestFinished } from 'vitest';
import { createAdmin } from '../../../src/event-hooks/admin/server.ts';
import { createDispatcher } from '../../../src/event-hooks/dispatcher/dispatcher.ts';
import type { Dispatcher } from '../../../src/event-hooks/dispatcher/dispatcher.ts';
import type { DispatcherOptions } from '../../../src/event-hooks/dispatcher/options.ts';
import type { HandlerKind } from '../../../src/event-hooks/handlers/kind.ts';
import { handlerKinds } from '../../../src/event-hooks/handlers/kinds.ts';
import type { KindSet } from '../../../src/event-hooks/model/kind-set.ts';
import { EventHooks } from '../../../src/event-hooks/index.ts';
import type { HookLog } from '../../../src/event-hooks/log.ts';
import { answerChecker } from './openapi.ts';
import { Receiver } from './receiver.ts';

export interface LogLine {
  level: string;
  message: string;
  fields: Record<string, unknown> | undefined;
}
export function memoryLog(): HookLog & { lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: string) => (message: string, fields?: Record<string, unknown>) => {
    lines.push({ level, message, fields });
  };
  return { lines, info: at('info'), notice: at('notice'), warn: at('warn'), error: at('error') };
}

export function tempDir(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kong-ts-hooks-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export interface Bench {
  dispatcher: Dispatcher;
  admin: FastifyInstance;
  hub: EventHooks;
  receiver: Receiver;
  log: ReturnType<typeof memoryLog>;
  api: <T = Record<string, unknown>>(
    method: string,
    url: string,
    payload?: unknown,
    headers?: Record<string, string>,
  ) => Promise<{ status: number; headers: Record<string, unknown>; body: T }>;
  /** Creates a hook and returns it. */
  hook: (fields: Record<string, unknown>) => Promise<Record<string, unknown> & { id: string }>;
  /** Everything emitted so far is stored, and every delivery that is not waiting for a retry has ended. */
  settled: () => Promise<void>;
}

/** A dispatcher with Admin API, hub and an HTTP receiver; all closed when the test ends. */
export async function bench(
  options: DispatcherOptions = {},
  token: string | null = null,
  kinds: KindSet<HandlerKind> = handlerKinds,
  more: AdminOptions = {},
): Promise<Bench> {
  const log = memoryLog();
  const receiver = await Receiver.start();
  const dispatcher = await createDispatcher({ allowLoopback: true, log, ...options }, kinds);
  const checkAnswer = answerChecker(kinds);
  const admin = createAdmin(dispatcher, { token, ...more });
  const hub = new EventHooks();
  hub.attachTransport(dispatcher.transport());
  onTestFinished(async () => {
    await admin.close();
    await receiver.close();
    await dispatcher.stop(500);
  });
  const api: Bench['api'] = async (method, url, payload, headers = {}) => {
    const response = await admin.inject({
      method: method as 'GET',
      url,
      headers,
      ...(payload === undefined ? {} : { payload: payload as object }),
    });
    const body =
      response.body === ''
        ? null
        : /json/.test(String(response.headers['content-type']))
          ? response.json<unknown>()
          : response.body;
    checkAnswer(method, url, response.statusCode, String(response.headers['content-type']), body);
    return { status: response.statusCode, headers: response.headers, body: body as never };
  };
  return {
    dispatcher,
    admin,
    hub,
    receiver,
    log,
    api,
    hook: async (fields) => {
      const { status, body } = await api('POST', '/event-hooks', fields);
      if (status !== 201) throw new Error(JSON.stringify(body));
      return body as Record<string, unknown> & { id: string };
    },
    settled: async () => {
      await hub.flush(20_000);
      await dispatcher.outbox.flush();
      for (;;) {
        const busy = dispatcher.engine.load().some((lane) => lane.inFlight + lane.queued > 0);
        if (!busy) break;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await dispatcher.outbox.flush();
    },
  };
}
