import { z } from 'zod';
import { parseExactFields } from '../model/payload.ts';
import { eventNameFor } from '../model/hook.ts';
import { defineKind } from './kind.ts';

/** The handler `log`: one line at level notice with event, source, payload and pid. */
export const log = defineKind({
  name: 'log',
  config: z.strictObject({}),
  secrets: {},
  addresses: () => [],
  check: () => [],
  pings: false,
  create: (hook, context) => {
    const write = (event: unknown, source: unknown, payload: unknown): void => {
      context.log.notice('event hook', { event, source, payload, pid: process.pid, hook: hook.id });
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
  },
});
