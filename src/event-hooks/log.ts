import { jsonLines } from '../base/json-log.ts';

const levels = ['info', 'notice', 'warn', 'error'] as const;

/** Where the dispatcher writes; a subset of the server's log. */
export interface HookLog {
  info(message: string, fields?: Record<string, unknown>): void;
  notice(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** One JSON line per call on a file descriptor, with Kong's level names. */
export function jsonLog(fd = 1): HookLog {
  const write = jsonLines({ levels, fields: { component: 'event-hooks' }, fd });
  const at =
    (level: (typeof levels)[number]) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      write(level, fields, message);
    };
  return { info: at('info'), notice: at('notice'), warn: at('warn'), error: at('error') };
}

export const silentLog: HookLog = { info: noop, notice: noop, warn: noop, error: noop };
function noop(): void {}
