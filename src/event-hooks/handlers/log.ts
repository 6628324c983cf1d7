import { parseExactFields } from '../model/payload.ts';
import type { HookLog } from '../log.ts';
import { eventNameFor } from '../model/hook.ts';
import type { Hook } from '../model/hook.ts';
import type { HookHandler } from './types.ts';

/** The handler `log`: one line at level notice with event, source, payload and pid. */
export function logHandler(hook: Hook, log: HookLog): HookHandler {
  const write = (event: unknown, source: unknown, payload: unknown): void => {
    log.notice('event hook', { event, source, payload, pid: process.pid, hook: hook.id });
  };
  return {
    target: null,
    attempt: async (delivery) => {
      const payload = parseExactFields(delivery.payload);
      write(eventNameFor(hook, delivery.event), delivery.source, payload);
      return { ok: true, status: null, error: null, response: null };
    },
    test: async (payload) => {
      write(payload.event, payload.source, payload);
      return true;
    },
    close: async () => {},
  };
}
