import { destination, pino, stdTimeFunctions } from 'pino';

export interface JsonLogOptions<Level extends string> {
  /** From the most talkative to the most severe. */
  readonly levels: readonly Level[];
  /** Lines below it are not written. Default: none is left out. */
  readonly level?: Level;
  /** What every line carries besides level, time, pid and message. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** File descriptor. Default 1. */
  readonly fd?: number;
}

/** Writes one line: one JSON object, before the call returns. */
export type WriteLine<Level extends string> = (
  level: Level,
  fields: Record<string, unknown>,
  message: string,
) => void;

/** The log of a process: one JSON object per line, with the names of its levels, ISO times and its process id. */
export function jsonLines<const Level extends string>({
  levels,
  level,
  fields = {},
  fd = 1,
}: JsonLogOptions<Level>): WriteLine<Level> {
  const severity = Object.fromEntries(levels.map((name, index) => [name, (index + 1) * 10]));
  const logger = pino<string>(
    {
      level: level ?? levels[0] ?? 'info',
      customLevels: severity,
      useOnlyCustomLevels: true,
      base: { pid: process.pid, ...fields },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
    },
    destination({ dest: fd, sync: true }),
  );
  return (lineLevel, lineFields, message) => {
    logger[lineLevel]?.(lineFields, message);
  };
}
