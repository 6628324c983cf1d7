import { pino } from 'pino';

/** Where the dispatcher writes; a subset of the server's log. */
export interface HookLog {
  info(message: string, fields?: Record<string, unknown>): void;
  notice(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** One JSON line per call on a file descriptor, with Kong's level names. */
export function jsonLog(fd = 1): HookLog {
  const logger = pino(
    {
      messageKey: 'message',
      customLevels: { notice: 35 },
      base: { pid: process.pid, component: 'event-hooks' },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd, sync: true }),
  );
  const at =
    (level: 'info' | 'notice' | 'warn' | 'error') =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      logger[level](fields, message);
    };
  return { info: at('info'), notice: at('notice'), warn: at('warn'), error: at('error') };
}

export const silentLog: HookLog = { info: noop, notice: noop, warn: noop, error: noop };
function noop(): void {}
