import type { LogFormat, LogLevel, ServerLog } from './types.ts';
import { logLevels } from './types.ts';

const severity = Object.fromEntries(logLevels.map((level, index) => [level, (index + 2) * 10])) as Record<
  LogLevel,
  number
>;

type Write = (level: LogLevel, fields: Record<string, unknown>, message: string) => void;

interface Pipeline {
  readonly threshold: number;
  write: Write;
}

/**
 * The log of one process on standard output: JSON by pino, one object per line, `level` by Kong's names; or lines for people.
 *
 * The writer is imported in the background, so that a supervisor listens before that. Earlier lines are kept and come
 * out first. `flushed` resolves when they have.
 */
export function createServerLog(
  level: LogLevel,
  bindings: Record<string, unknown> = {},
  format: LogFormat = 'json',
): ServerLog & { readonly flushed: Promise<void> } {
  const waiting: Parameters<Write>[] = [];
  const pipeline: Pipeline = {
    threshold: severity[level],
    write: (...line) => {
      waiting.push(line);
    },
  };
  const flushed = (format === 'json' ? jsonWriter(level) : prettyWriter()).then((write) => {
    pipeline.write = write;
    for (const line of waiting.splice(0)) write(...line);
  });
  return Object.assign(logOn(pipeline, bindings), { flushed });
}

async function jsonWriter(level: LogLevel): Promise<Write> {
  const { jsonLines } = await import('../../base/json-log.ts');
  return jsonLines({ levels: logLevels, level });
}

async function prettyWriter(): Promise<Write> {
  const { hasColour, palette, prettyLines } = await import('../../terminal/index.ts');
  const paint = palette(hasColour(process.stdout, process.env));
  return (level, fields, message) => {
    process.stdout.write(prettyLines({ level, time: new Date(), message, fields }, paint, process.cwd()));
  };
}

/** A log that hands each line to a function; for tests and for programs that have a log of their own. */
export function createCallbackLog(level: LogLevel, write: Write): ServerLog {
  return logOn({ threshold: severity[level], write }, {});
}

function logOn(pipeline: Pipeline, bindings: Record<string, unknown>): ServerLog {
  const line = (level: LogLevel) => (message: string, fields?: Record<string, unknown>) => {
    if (severity[level] < pipeline.threshold) return;
    pipeline.write(level, fields === undefined ? bindings : { ...bindings, ...fields }, message);
  };
  return {
    ...(Object.fromEntries(logLevels.map((level) => [level, line(level)])) as Record<
      LogLevel,
      ReturnType<typeof line>
    >),
    child: (fields) => logOn(pipeline, { ...bindings, ...fields }),
    enabled: (level) => severity[level] >= pipeline.threshold,
  };
}
